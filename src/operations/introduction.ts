import type { MessageClass, Submission } from "../core/index.ts";
import { introductionOf } from "../ledger/introduction.ts";
import type { KeepTimes } from "../ledger/introduction.ts";
import type { Introduction } from "../ledger/ledger.ts";
import { formatProblems, messageIdentity, parseSubmission } from "../message/index.ts";
import type { MessageLimits } from "../message/index.ts";
import type { KeptJob } from "../queue/mail-queue.ts";
import { digestOf, removalOf, unseal } from "../submission/index.ts";
import type { Keyring } from "../submission/index.ts";

export type IntroductionParts = KeepTimes & {
  /** Name of the queue, which the ids of messages are made of. */
  readonly queueName: string;
  readonly keyring: Keyring;
  readonly limits: MessageLimits;
  /** Age at which a message of a class ends by itself, in milliseconds. */
  readonly giveUpAfterMs: (messageClass: MessageClass) => number;
};

export type Introduced =
  | { readonly ok: true; readonly introduction: Introduction }
  /** One sentence that begins with "its content". Of the message it holds what a refusal tells of bad fields. */
  | { readonly ok: false; readonly problem: string };

/** The message of a job as its worker would tell the ledger of it. */
export function introduce(job: KeptJob, parts: IntroductionParts): Introduced {
  if (removalOf(job.data) !== null) return { ok: false, problem: "its content was removed when the message ended" };
  const opened = unseal(job.data, parts.keyring);
  if (!opened.ok) return { ok: false, problem: `its content cannot be opened: ${opened.problem}` };
  const parsed = parseSubmission(opened.data, parts.limits);
  if (!parsed.ok) return { ok: false, problem: `its content is no message: ${formatProblems(parsed.problems)}` };
  const { submission } = parsed;
  const digest = digestOf(opened.data);
  const origin = { queue: parts.queueName, jobId: job.id, createdAt: new Date(job.createdAt), digest };
  const { id, messageId } = messageIdentity(submission, origin);
  const about = { id, messageId, jobId: job.id, digest, stalledCount: job.stalledCount };
  const introduction = introductionOf(submission, about, parts);
  const keepMs = introduction.keepMs + timeLeftMs(job, submission, parts);
  return { ok: true, introduction: { ...introduction, keepMs } };
}

/** A record must not be gone before the last worker that could send the message has seen it. */
function timeLeftMs({ dueAt }: KeptJob, { sendAt, class: messageClass }: Submission, parts: IntroductionParts): number {
  const since = Math.max(dueAt, sendAt?.getTime() ?? 0);
  return Math.max(0, since + parts.giveUpAfterMs(messageClass) - Date.now());
}
