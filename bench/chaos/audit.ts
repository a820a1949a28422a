import type { Job } from "bullmq";
import type { DeliveryRecord } from "../../src/core/index.ts";
import type { AcceptedMessage } from "../../src/lab/index.ts";
import type { LedgerEvent } from "../../src/ledger/event.ts";
import { fold } from "../../src/ledger/fold.ts";
import { FINAL } from "../../src/ledger/states.ts";

/** What is known of one message once all is over: of its job, its record, and its copies at the servers. */
export type Evidence = {
  readonly jobId: string;
  readonly pushedAt: number;
  /** Null: Redis has no such job. */
  readonly job: Job | null;
  readonly state: string;
  /** The ledger's id of it; null where the ledger does not know it. */
  readonly id: string | null;
  readonly log: readonly LedgerEvent[];
  /** The ledger's state beside the log. */
  readonly status: string;
  readonly openAttempt: string;
  readonly accepted: readonly AcceptedMessage[];
};

export type Finding = {
  /** Where it ended; "gone" where Redis lost the job with its record. */
  readonly end: DeliveryRecord["status"] | "gone";
  /** What must never be. */
  readonly problems: readonly string[];
  /** Recipients whose record says relayed although nobody accepted it for them, and all of a message that has no end. */
  readonly lostCount: number;
  /** Copies beyond one, of any recipient. */
  readonly copyCount: number;
  readonly possibleDuplicate: boolean;
  readonly tookMs: number;
};

const FINAL_EVENTS: ReadonlySet<string> = new Set(FINAL.map((status) => `message.${status}`));

/** The states of BullMQ in which a job may lie whose message stands so. */
const STATE_OF: Readonly<Record<string, string>> = {
  relayed: "completed",
  bounced: "failed",
  expired: "failed",
  held: "delayed",
};

/** Compares what the queue, the ledger and the servers say of one message. */
export function examine(evidence: Evidence): Finding {
  const { job, id, log, state } = evidence;
  const none = { lostCount: 0, copyCount: 0, possibleDuplicate: false, tookMs: 0 };
  if (job === null && id === null) return { ...none, end: "gone", problems: [] };
  if (id === null || log.length === 0) {
    const problem = `the job is ${state} and the ledger knows nothing of it: ${job?.failedReason ?? ""}`;
    return { ...none, end: "relaying", problems: [problem], lostCount: 1 };
  }
  const record = fold(id, log);
  const ends = log.filter(({ type }) => FINAL_EVENTS.has(type));
  const hasEnded = STATE_OF[record.status] !== undefined;
  const problems = [
    ...(hasEnded ? [] : [`no final state: ${record.status}, and the job is ${state}`]),
    ...(hasEnded && STATE_OF[record.status] !== state ? [`${record.status}, but the job is ${state}`] : []),
    ...(ends.length === (record.status === "held" ? 0 : 1) ? [] : [`${ends.length} ends in the log`]),
    ...(evidence.status === record.status ? [] : [`the log says ${record.status}, the state ${evidence.status}`]),
    ...(evidence.openAttempt === "" ? [] : [`attempt ${evidence.openAttempt} has no end`]),
    ...differences(record, job),
  ];
  let lostCount = hasEnded ? 0 : record.recipients.length;
  let copyCount = 0;
  for (const { address, status } of record.recipients) {
    const copies = evidence.accepted.filter(({ rcptTo }) => rcptTo.includes(address)).length;
    if (status === "relayed" && copies === 0) lostCount += 1;
    // After a lost answer it may have been accepted all the same, and the record says so.
    const mayHaveIt = record.possibleDuplicate || record.unsettled;
    if (status === "refused" && copies > 0 && !mayHaveIt) problems.push("refused, but accepted");
    copyCount += Math.max(0, copies - 1);
  }
  const { possibleDuplicate } = record;
  return {
    end: record.status,
    problems: [
      ...problems,
      ...(lostCount > 0 ? [`lost for ${lostCount} recipients`] : []),
      ...(copyCount > 0 && !possibleDuplicate ? [`${copyCount} copies too many, and not marked`] : []),
    ],
    lostCount,
    copyCount,
    possibleDuplicate,
    tookMs: Math.max(0, (ends.at(-1)?.at ?? evidence.pushedAt) - evidence.pushedAt),
  };
}

/** The job carries the record as its return value once relayed, else as its progress. */
function differences(record: DeliveryRecord, job: Job | null): string[] {
  if (job === null) return ["the job is gone, its record is not"];
  const carried = (record.status === "relayed" ? job.returnvalue : job.progress) as Partial<DeliveryRecord> | null;
  return (["id", "status", "attemptCount", "possibleDuplicate", "provider"] as const).flatMap((field) =>
    carried?.[field] === record[field]
      ? []
      : [`${field} is ${record[field]} in the ledger and ${carried?.[field]} in the job`],
  );
}
