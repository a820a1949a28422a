import type { Clock, DeliveryRecord, Emit } from "../core/index.ts";
import { compose, formatProblems, messageIdentity, parseSubmission } from "../message/index.ts";
import type { MessageLimits, Problem } from "../message/index.ts";
import type { MailJob, Verdict } from "../queue/mail-worker.ts";
import { readRecord } from "../queue/stored-record.ts";
import { deliver } from "./deliver.ts";
import { policyFor } from "./policy.ts";
import { newRecord, reopened } from "./record.ts";
import type { DeliveryParts, Resolution } from "./round.ts";

export type WorkParts = DeliveryParts & {
  readonly queueName: string;
  readonly limits: MessageLimits;
};

/** An attachment that could not be read now is looked for again after this long. */
const ATTACHMENT_RETRY_MS = 30_000;

/** The path of one job: checked, composed, brought one round further, and what became of it told. */
export async function work(job: MailJob, parts: WorkParts): Promise<Verdict> {
  const parsed = parseSubmission(job.data, parts.limits);
  if (!parsed.ok) return refuse(job, parsed.problems, parts.emit);
  const { submission } = parsed;
  const createdAt = new Date(job.createdAt);
  const origin = { queue: parts.queueName, jobId: job.id, createdAt, data: job.data };
  const identity = messageIdentity(submission, origin);

  const composed = await compose(submission, identity, parts.limits);
  if (!composed.ok) {
    const { giveUpAt } = policyFor(submission, parts.classes, job.dueAt);
    if (!composed.retryable || parts.clock() >= giveUpAt) return refuse(job, composed.problems, parts.emit);
    return { kind: "later", at: Math.min(giveUpAt, parts.clock() + ATTACHMENT_RETRY_MS), fresh: false };
  }
  const { message } = composed;

  const stored = readRecord(job.progress, message.id);
  // Its worker died before it could complete the job, or someone retries a completed one: it is not sent again.
  if (stored?.status === "relayed") return endOf(stored);
  if (stored === null) {
    parts.emit({ type: "message.received", id: message.id, messageId: message.messageId, jobId: job.id });
  }
  const record = startOf(stored ?? newRecord(message), job, parts.clock);
  const { dueAt, signal, save } = job;
  const resolution = await deliver({ submission, message, record, dueAt, signal, save }, parts);
  await conclude(job, resolution, parts);
  return verdictOf(resolution, parts.clock);
}

/** The record a round starts with. A worker that died with the job may have been in the middle of an attempt. */
function startOf(record: DeliveryRecord, { stalledCount }: MailJob, clock: Clock): DeliveryRecord {
  const isOver = record.status === "bounced" || record.status === "expired";
  const open = isOver ? reopened(record, clock()) : record;
  return { ...open, possibleDuplicate: open.possibleDuplicate || stalledCount > 0 };
}

/** Saves the record, also of an end: what BullMQ does after that may fail, or be undone by hand. Then tells everybody. */
async function conclude(job: MailJob, { kind, record }: Resolution, { emit }: WorkParts): Promise<void> {
  await job.save(record);
  if (kind === "handed-back" || record.status === "relaying") return;
  emit({ type: `message.${record.status}`, id: record.id, record });
}

function verdictOf(resolution: Resolution, clock: Clock): Verdict {
  switch (resolution.kind) {
    case "ended":
      return endOf(resolution.record);
    case "later":
      return { kind: "later", at: resolution.at, fresh: resolution.fresh };
    case "handed-back":
      return { kind: "later", at: clock(), fresh: true };
  }
}

function endOf(record: DeliveryRecord): Verdict {
  if (record.status === "relayed") return { kind: "completed", record };
  return { kind: "failed", reason: `${record.status}: ${record.reason ?? ""}` };
}

/** A job that is no message fails at once, with every bad field named. */
function refuse(job: MailJob, problems: readonly Problem[], emit: Emit): Verdict {
  const reason = `refused: ${formatProblems(problems)}`;
  emit({ type: "message.refused", jobId: job.id, reason });
  return { kind: "failed", reason };
}
