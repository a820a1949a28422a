import { digestOf } from "../../../src/submission/index.ts";
import PostalMime from "postal-mime";
import type { Email } from "postal-mime";

import type { Message, Submission } from "../../../src/core/index.ts";
import {
  compose,
  defaultLimits,
  formatProblems,
  messageIdentity,
  parseSubmission,
} from "../../../src/message/index.ts";
import type { MessageIdentity, MessageLimits } from "../../../src/message/index.ts";

/** The least that is a message. */
export const minimal = { from: "noreply@contoso.com", to: "taro@example.jp", text: "hello" };

export function accept(data: unknown, limits: Partial<MessageLimits> = {}): Submission {
  const parsed = parseSubmission(data, { ...defaultLimits, ...limits });
  if (!parsed.ok) throw new Error(`refused: ${formatProblems(parsed.problems)}`);
  return parsed.submission;
}

/** The problems in one line, or null where the data is accepted. */
export function refusal(data: unknown, limits: Partial<MessageLimits> = {}): string | null {
  const parsed = parseSubmission(data, { ...defaultLimits, ...limits });
  return parsed.ok ? null : formatProblems(parsed.problems);
}

export function identify(submission: Submission, data: unknown): MessageIdentity {
  return messageIdentity(submission, {
    queue: "mail",
    jobId: "17",
    createdAt: new Date("2026-11-24T00:00:00Z"),
    digest: digestOf(data),
  });
}

export async function composeData(data: unknown, limits: Partial<MessageLimits> = {}): Promise<Message> {
  const submission = accept(data, limits);
  const composed = await compose(submission, identify(submission, data), { ...defaultLimits, ...limits });
  if (!composed.ok) throw new Error(`not composed: ${formatProblems(composed.problems)}`);
  return composed.message;
}

export function decode(mime: Buffer): Promise<Email> {
  return PostalMime.parse(mime);
}

/** The fields of the top header, unfolded. Throws where the header is not well formed. */
export function headerFields(mime: Buffer): { name: string; value: string }[] {
  const header = mime.toString("latin1", 0, mime.indexOf("\r\n\r\n"));
  return header
    .replace(/\r\n(?=[ \t])/g, "")
    .split("\r\n")
    .map((line) => {
      const match = /^([!-9;-~]+):[ \t]?([^\r\n]*)$/.exec(line);
      if (match === null) throw new Error(`not a header field: ${JSON.stringify(line)}`);
      return { name: match[1]!, value: match[2]! };
    });
}

export function headerNames(mime: Buffer): string[] {
  return headerFields(mime).map(({ name }) => name);
}
