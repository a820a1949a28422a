import { compose, defaultLimits, messageIdentity, parseSubmission } from "../message/index.ts";
import type { Message } from "../core/index.ts";

/** A text in the content of every sample, by which content is recognised where it must not be. */
export const CONTENT_MARK = "the-content-of-a-conformance-message";

export const RECIPIENT = "hanako@example.com";

let jobCount = 0;

/** A message as the gateway makes it of a job's data. Each one has an identity of its own. */
export async function sample(from: string, data: Readonly<Record<string, unknown>> = {}): Promise<Message> {
  jobCount += 1;
  const composed = "raw" in data ? {} : { from, to: RECIPIENT, subject: "Conformance", text: CONTENT_MARK };
  const job = { ...composed, ...data };
  const parsed = parseSubmission(job, defaultLimits);
  if (!parsed.ok) throw new Error(`a sample is no submission: ${JSON.stringify(parsed.problems)}`);
  const createdAt = new Date("2026-11-24T00:00:00Z");
  const identity = messageIdentity(parsed.submission, {
    queue: "conformance",
    jobId: String(jobCount),
    createdAt,
    digest: JSON.stringify(job),
  });
  const composition = await compose(parsed.submission, identity, defaultLimits);
  if (!composition.ok) throw new Error(`a sample cannot be composed: ${JSON.stringify(composition.problems)}`);
  return composition.message;
}

/** Bytes that base64 and line ends cannot be mistaken for: all values, in an order that does not repeat soon. */
export function bytes(sizeBytes: number): Buffer {
  const content = Buffer.allocUnsafe(sizeBytes);
  for (let index = 0; index < sizeBytes; index += 1) content[index] = (index * 31 + (index >> 8) * 7) & 0xff;
  return content;
}

/** A message too large for any socket's buffers, so that a server that stops reading holds it in the middle. */
export function largeSample(from: string): Promise<Message> {
  const attachments = [
    { filename: "large.bin", content: bytes(10 * 1024 * 1024).toString("base64"), encoding: "base64" },
  ];
  return sample(from, { attachments });
}
