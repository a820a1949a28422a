import { createHash } from "node:crypto";

import { domainOf } from "../core/message.ts";
import type { Submission } from "../core/message.ts";
import { asciiDomain } from "./mailbox.ts";
import { rawMessageId } from "./raw.ts";

/** What makes a message one and the same on every attempt. */
export type MessageIdentity = {
  /** Mailover's id: 26 characters of a-v and 0-9, from 130 bits of SHA-256. */
  readonly id: string;
  /** With its angle brackets: the app's own where it gave one, else made of the id and the domain of From. */
  readonly messageId: string;
  /** The Date header: `sendAt`, or when the job was made. */
  readonly date: Date;
};

/** Where a submission came from. */
export type Origin = {
  readonly queue: string;
  readonly jobId: string;
  readonly createdAt: Date;
  /** Digest of the job's data as it was handed in. */
  readonly digest: string;
};

/** A key under which an app wants one message and no second one, with the tenant it holds for. */
export type OnceKey = { readonly tenant: string | null; readonly key: string };

const idLength = 26;

/**
 * Derives the identity from the job alone, so that every attempt, on any worker and after a crash, comes to the same one
 * with nothing stored. The data takes part, so that a queue whose ids start over makes no id twice, and so that no
 * content can know the MIME boundary that is made of the id.
 */
export function messageIdentity(submission: Submission, origin: Origin): MessageIdentity {
  const { idempotencyKey, tenant } = submission;
  const id = messageId(origin, idempotencyKey === null ? null : { tenant, key: idempotencyKey });
  return {
    id,
    messageId: ownMessageId(submission) ?? `<${id}@${asciiDomain(domainOf(submission.from.address))}>`,
    date: submission.sendAt ?? origin.createdAt,
  };
}

/**
 * Mailover's id of a message. With a key it is the key's; with a job id that an app chose it is that id's, with this
 * content, whenever it is pushed; else the job's own, which BullMQ counts.
 */
export function messageId({ queue, jobId, createdAt, digest }: Origin, once: OnceKey | null): string {
  const seed = once === null ? jobSeed(queue, jobId, createdAt, digest) : [queue, "key", once.tenant, once.key];
  const hash = createHash("sha256").update(JSON.stringify(seed)).digest("hex");
  return BigInt(`0x${hash}`).toString(32).padStart(52, "0").slice(-idLength);
}

function jobSeed(queue: string, jobId: string, createdAt: Date, digest: string): readonly unknown[] {
  const isCounted = /^\d+$/.test(jobId);
  return isCounted ? [queue, jobId, createdAt.getTime(), digest] : [queue, jobId, digest];
}

function ownMessageId({ content }: Submission): string | null {
  if (content.kind === "raw") return rawMessageId(content.raw);
  return content.parts.headers.find(({ name }) => name.toLowerCase() === "message-id")?.value ?? null;
}
