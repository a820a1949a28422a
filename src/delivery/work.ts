import type { Clock, DeliveryRecord, Emit, Message, Submission } from "../core/index.ts";
import { fold } from "../ledger/fold.ts";
import { introductionOf } from "../ledger/introduction.ts";
import type { KeepTimes } from "../ledger/introduction.ts";
import type { Introduction, Ledger, TakenMessage } from "../ledger/ledger.ts";
import { isFinal } from "../ledger/states.ts";
import { compose, formatProblems, messageId as idOf, messageIdentity, parseSubmission } from "../message/index.ts";
import type { MessageLimits, Origin } from "../message/index.ts";
import type { MailJob, Verdict } from "../queue/mail-worker.ts";
import { classOf } from "../queue/priority.ts";
import { digestOf, isSealed, removalOf, seal, unseal } from "../submission/index.ts";
import type { Keyring } from "../submission/index.ts";
import { deliver } from "./deliver.ts";
import { Journal, MessageLostError } from "./journal.ts";
import { reopened } from "./record.ts";
import type { DeliveryParts, Resolution } from "./round.ts";

export type WorkParts = DeliveryParts &
  KeepTimes & {
    readonly queueName: string;
    /** This worker, as the ledger names it. */
    readonly workerName: string;
    readonly limits: MessageLimits;
    readonly keyring: Keyring;
    /** Whether the addresses of a sealed message are sealed as well. */
    readonly sealAddresses: boolean;
    readonly ledger: Ledger;
    /** Sends a delivery report where the message asked for one; null: this gateway makes none. */
    readonly report: ((message: Message, record: DeliveryRecord) => Promise<void>) | null;
    /** Told of trouble that holds nobody up. */
    readonly onError: (error: Error) => void;
  };

/** What cannot be had now, an attachment or a key, is looked for again after this long. */
const RETRY_MS = 30_000;

/** Brings one job one round further. What was pushed in the open and stays for a while is sealed then. */
export async function work(job: MailJob, parts: WorkParts): Promise<Verdict> {
  const verdict = await proceed(job, parts);
  // Another worker may have the job by now, and may have removed its content.
  if (job.signal.aborted) return verdict;
  // The message was taken from us and the job was not: somebody cancelled it, and the next round says so.
  if (verdict.kind === "lost") return { kind: "later", at: parts.clock(), fresh: true, record: null };
  if (verdict.kind === "later" || verdict.kind === "failed") await sealWhileKept(job, parts);
  return verdict;
}

/** The path of one job: opened, checked, composed, taken from the ledger, delivered. */
async function proceed(job: MailJob, parts: WorkParts): Promise<Verdict> {
  const origin = { queue: parts.queueName, jobId: job.id, createdAt: new Date(job.createdAt) };
  if (removalOf(job.data) !== null) return workWithoutBody(job, origin, parts);
  const opened = unseal(job.data, parts.keyring);
  if (!opened.ok)
    return opened.retryable ? retryOrRefuse(job, opened.problem, parts) : refuse(job, opened.problem, parts.emit);
  const parsed = parseSubmission(opened.data, parts.limits);
  if (!parsed.ok) return refuse(job, formatProblems(parsed.problems), parts.emit);
  const { submission } = parsed;
  if (submission.dsn && parts.report === null) return refuse(job, "dsn: needs the setting reports.from", parts.emit);

  const digest = digestOf(opened.data);
  const identity = messageIdentity(submission, { ...origin, digest });
  const composed = await compose(submission, identity, parts.limits);
  if (!composed.ok) {
    const problems = formatProblems(composed.problems);
    return composed.retryable ? retryOrRefuse(job, problems, parts) : refuse(job, problems, parts.emit);
  }

  const { id, messageId } = identity;
  const about = { id, messageId, jobId: job.id, digest, stalledCount: job.stalledCount };
  const introduction = introductionOf(submission, about, parts);
  const taken = await parts.ledger.take(introduction, parts.workerName);
  if (taken.kind === "duplicate") return endAsDuplicate(job, taken, introduction, parts);
  return workOn(job, { submission, message: composed.message }, taken, parts);
}

/** Brings a message that is ours one round further, unless it is over already. */
async function workOn(
  job: MailJob,
  { submission, message }: { readonly submission: Submission; readonly message: Message },
  taken: TakenMessage,
  parts: WorkParts,
): Promise<Verdict> {
  const { signal } = job;
  const journal = new Journal(taken, { ledger: parts.ledger, signal, onError: parts.onError });
  let { record } = taken;
  try {
    if (isFinal(record.status)) {
      // Its worker died before it could end the job; or someone has it retried, which is only of use where it failed.
      const isReopened = taken.isRetried && (record.status === "bounced" || record.status === "expired");
      if (!isReopened) {
        if (record.status === "cancelled" || !taken.isRetried) {
          await tellOfEnd(job, { submission, message }, record, parts);
        }
        return endOf(record);
      }
      record = reopened(record, parts.clock());
      await journal.conclude(record, "message.retried");
    }
    // Its job came before its time, since its worker died or somebody's clock is ahead: nobody has let it go on.
    if (record.status === "held" && record.nextAttemptAt !== null) record = { ...record, status: "relaying" };
    if (taken.isNew) {
      parts.emit({ type: "message.received", id: message.id, messageId: message.messageId, jobId: job.id });
    }
    const publish = (published: DeliveryRecord): Promise<void> => job.save(published);
    const { openAttempt } = taken;
    const task = { submission, message, record, dueAt: job.dueAt, signal, journal, publish, openAttempt };
    const resolution = await deliver(task, parts);
    await conclude(job, { submission, message }, resolution, journal, parts);
    return verdictOf(resolution, parts.clock);
  } catch (error) {
    if (error instanceof MessageLostError) return { kind: "lost" };
    throw error;
  }
}

/** Writes what the round came to, lets the job's followers see an end, and tells everybody. */
async function conclude(
  job: MailJob,
  { submission, message }: { readonly submission: Submission; readonly message: Message },
  { kind, record }: Resolution,
  journal: Journal,
  parts: WorkParts,
): Promise<void> {
  if (kind === "handed-back" || record.status === "relaying") return;
  await journal.conclude(record, `message.${record.status}`);
  // One that waits has it as its progress when its job is moved.
  if (kind === "ended") await show(job, record);
  tell(job, submission, record, parts.emit);
  if (kind === "ended") await report({ submission, message }, record, parts);
}

/**
 * Of a message that was over before this worker took it: the one before it died, or somebody else ended it. Where the job
 * of a cancelled one says so already, it was told; else it may be told of twice, which is better than never.
 */
async function tellOfEnd(
  job: MailJob,
  { submission, message }: { readonly submission: Submission; readonly message: Message },
  record: DeliveryRecord,
  parts: WorkParts,
): Promise<void> {
  const told = (job.progress as { status?: unknown } | null)?.status;
  if (record.status === "cancelled" && told === "cancelled") return;
  await show(job, record);
  tell(job, submission, record, parts.emit);
  if (record.status !== "cancelled") await report({ submission, message }, record, parts);
}

/** A completed job carries the record as its return value; all others as progress. */
async function show(job: MailJob, record: DeliveryRecord): Promise<void> {
  if (record.status !== "relayed") await job.save(record);
}

function tell(job: MailJob, { tags, tenant }: Submission, record: DeliveryRecord, emit: Emit): void {
  if (record.status === "relaying") return;
  emit({ type: `message.${record.status}`, id: record.id, jobId: job.id, tags, tenant, record });
}

async function report(
  { submission, message }: { readonly submission: Submission; readonly message: Message },
  record: DeliveryRecord,
  parts: WorkParts,
): Promise<void> {
  if (submission.dsn) await parts.report?.(message, record).catch(parts.onError);
}

async function sealWhileKept(
  { data, replaceData }: MailJob,
  { keyring, sealAddresses, onError }: WorkParts,
): Promise<void> {
  if (keyring.primary === null || typeof data !== "object" || data === null) return;
  if (isSealed(data) || removalOf(data) !== null) return;
  await replaceData(seal(data, keyring, { addresses: sealAddresses })).catch(onError);
}

/** The message is another job's: that one's record stands for both. */
async function endAsDuplicate(
  job: MailJob,
  { jobId, sameContent }: { readonly jobId: string; readonly sameContent: boolean },
  { id, metadata }: Introduction,
  parts: WorkParts,
): Promise<Verdict> {
  if (!sameContent) return refuse(job, `idempotencyKey: was used for another message, in job ${jobId}`, parts.emit);
  const record = fold(id, await parts.ledger.log(id), metadata);
  return { kind: "completed", record: { ...record, duplicateOf: jobId } };
}

/** A job whose content was removed when its message ended, and that comes again: by hand, or since its worker died. */
async function workWithoutBody(job: MailJob, origin: Omit<Origin, "digest">, parts: WorkParts): Promise<Verdict> {
  const removal = removalOf(job.data);
  // It was a message, so these are what the parser took; null is as good as absent.
  const { idempotencyKey, tenant, metadata } = job.data as Pick<Partial<Introduction>, "metadata"> & {
    readonly idempotencyKey?: string | null;
    readonly tenant?: string | null;
  };
  const key = idempotencyKey ?? null;
  const once = key === null ? null : { tenant: tenant ?? null, key };
  const id = idOf({ ...origin, digest: removal?.digest ?? "" }, once);
  const log = await parts.ledger.log(id);
  if (log.length > 0) return endOf(fold(id, log, metadata ?? {}));
  return { kind: "failed", reason: "its content was removed when the message ended, and its record is no longer kept" };
}

function verdictOf(resolution: Resolution, clock: Clock): Verdict {
  switch (resolution.kind) {
    case "ended":
      return endOf(resolution.record);
    case "later":
      return { ...resolution, record: resolution.record.status === "relaying" ? null : resolution.record };
    case "handed-back":
      return { kind: "later", at: clock(), fresh: true, record: null };
  }
}

function endOf(record: DeliveryRecord): Verdict {
  if (record.status === "relayed") return { kind: "completed", record };
  return { kind: "failed", reason: `${record.status}: ${record.reason ?? ""}` };
}

/** Something that the message needs cannot be had now; when its time is over, it is refused for it. */
function retryOrRefuse(job: MailJob, problem: string, parts: WorkParts): Verdict {
  const { giveUpAfterMs } = parts.classes[classOf(job.data)];
  const giveUpAt = job.dueAt + giveUpAfterMs;
  if (parts.clock() >= giveUpAt) return refuse(job, problem, parts.emit);
  return { kind: "later", at: Math.min(giveUpAt, parts.clock() + RETRY_MS), fresh: false, record: null };
}

/** A job that is no message fails at once, with every bad field named. */
function refuse(job: MailJob, problem: string, emit: Emit): Verdict {
  const reason = `refused: ${problem}`;
  emit({ type: "message.refused", jobId: job.id, reason });
  return { kind: "failed", reason };
}
