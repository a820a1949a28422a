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
  /** The job's data as it was handed in. */
  readonly data: unknown;
};

const idLength = 26;

/**
 * Derives the identity from the job alone, so that every attempt, on any worker and after a crash, comes to the same one
 * with nothing stored. The data takes part, so that a queue whose ids start over makes no id twice, and so that no
 * content can know the MIME boundary that is made of the id.
 */
export function messageIdentity(submission: Submission, origin: Origin): MessageIdentity {
  const digest = createHash("sha256").update(JSON.stringify(origin.data)).digest("hex");
  const seed = JSON.stringify([origin.queue, origin.jobId, origin.createdAt.getTime(), digest]);
  const hash = createHash("sha256").update(seed).digest("hex");
  const id = BigInt(`0x${hash}`).toString(32).padStart(52, "0").slice(-idLength);
  return {
    id,
    messageId: ownMessageId(submission) ?? `<${id}@${asciiDomain(domainOf(submission.from.address))}>`,
    date: submission.sendAt ?? origin.createdAt,
  };
}

function ownMessageId({ content }: Submission): string | null {
  if (content.kind === "raw") return rawMessageId(content.raw);
  return content.parts.headers.find(({ name }) => name.toLowerCase() === "message-id")?.value ?? null;
}
