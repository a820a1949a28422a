import type { Submission } from "../core/index.ts";
import type { Introduction } from "./ledger.ts";

/** How long records are kept after their end, in milliseconds. */
export type KeepTimes = {
  readonly keepMs: number;
  /** Of messages with an idempotency key: within it the key stands for this message. */
  readonly idempotencyMs: number;
};

/** A submission as the ledger is told of it, by its worker or by somebody who ends it. */
export function introductionOf(
  submission: Submission,
  about: Pick<Introduction, "id" | "messageId" | "jobId" | "digest" | "stalledCount">,
  { keepMs, idempotencyMs }: KeepTimes,
): Introduction {
  const { id, messageId, jobId, digest, stalledCount } = about;
  return {
    id,
    messageId,
    class: submission.class,
    recipients: submission.envelope.rcptTo,
    metadata: submission.metadata,
    jobId,
    digest,
    stalledCount,
    keepMs: submission.idempotencyKey === null ? keepMs : Math.max(keepMs, idempotencyMs),
  };
}
