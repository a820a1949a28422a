import type { Job } from "bullmq";
import type { DeliveryRecord } from "../../src/core/index.ts";
import type { AcceptedMessage } from "../../src/lab/index.ts";
import type { LedgerEvent } from "../../src/ledger/event.ts";
import { fold } from "../../src/ledger/fold.ts";
import { FINAL } from "../../src/ledger/states.ts";
import { isForgotten } from "./gap.ts";
import type { Gap } from "./gap.ts";

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
  /** Where it ended; "gone" where Redis lost the job before that, with its record or without. */
  readonly end: DeliveryRecord["status"] | "gone";
  /** What must never be. */
  readonly problems: readonly string[];
  /** Recipients for whom nobody accepted it, although the record says relayed, or has no end. */
  readonly lostCount: number;
  /** Copies beyond one, of any recipient. */
  readonly copyCount: number;
  /** Of these, those without a mark for which an earlier one is to blame that Redis has forgotten. */
  readonly forgottenCopyCount: number;
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

/** Compares what the queue, the ledger and the servers say of one message. `gaps`: what Redis forgot, where that is known. */
export function examine(evidence: Evidence, gaps: readonly Gap[] = []): Finding {
  const { job, id, log, state, pushedAt, accepted } = evidence;
  // A gateway that had just taken it may have gone on with it all the same: then its record has an end.
  const jobIsForgotten = job === null && isForgotten(pushedAt, gaps);
  const none = { lostCount: 0, copyCount: 0, forgottenCopyCount: 0, possibleDuplicate: false, tookMs: 0 };
  if (job === null && id === null) {
    const isExplained = gaps.length === 0 || jobIsForgotten;
    return {
      ...none,
      end: "gone",
      problems: isExplained ? [] : [`gone, although it was acknowledged ${distances(pushedAt, gaps)}`],
    };
  }
  if (id === null || log.length === 0) {
    const problem = `the job is ${state} and the ledger knows nothing of it: ${job?.failedReason ?? ""}`;
    return { ...none, end: "relaying", problems: [problem], lostCount: accepted.length === 0 ? 1 : 0 };
  }
  const record = fold(id, log);
  const ends = log.filter(({ type }) => FINAL_EVENTS.has(type));
  const hasEnded = STATE_OF[record.status] !== undefined;
  // Without a job nobody can release what is held, or go on with what is under way.
  if (jobIsForgotten && ends.length === 0) return { ...none, end: "gone", problems: [] };
  const problems = [
    ...(hasEnded ? [] : [`no final state: ${record.status}, and the job is ${state}`]),
    ...(hasEnded && STATE_OF[record.status] !== state && !jobIsForgotten
      ? [`${record.status}, but the job is ${state}`]
      : []),
    ...(ends.length === (hasEnded && record.status !== "held" ? 1 : 0) ? [] : [`${ends.length} ends in the log`]),
    ...(evidence.status === record.status ? [] : [`the log says ${record.status}, the state ${evidence.status}`]),
    ...(evidence.openAttempt === "" ? [] : [`attempt ${evidence.openAttempt} has no end`]),
    ...(hasEnded && !jobIsForgotten ? differences(record, job) : []),
  ];
  let lostCount = 0;
  let copyCount = 0;
  let forgottenCopyCount = 0;
  const { possibleDuplicate } = record;
  for (const { address, status } of record.recipients) {
    const copies = accepted.filter(({ rcptTo }) => rcptTo.includes(address));
    const tooMany = Math.max(0, copies.length - 1);
    const shouldHaveIt = status === "relayed" || (status === "pending" && !hasEnded);
    if (shouldHaveIt && copies.length === 0) lostCount += 1;
    // After a lost answer it may have been accepted all the same, and the record says so.
    const mayHaveIt = record.possibleDuplicate || record.unsettled;
    if (status === "refused" && copies.length > 0 && !mayHaveIt) problems.push("refused, but accepted");
    copyCount += tooMany;
    if (possibleDuplicate) continue;
    // Each one that was forgotten explains one after it.
    const earlier = copies.toSorted((a, b) => a.acceptedAt - b.acceptedAt).slice(0, -1);
    forgottenCopyCount += earlier.filter(({ acceptedAt }) => isForgotten(acceptedAt, gaps)).length;
  }
  const unmarkedCount = possibleDuplicate ? 0 : copyCount - forgottenCopyCount;
  return {
    end: record.status,
    problems: [
      ...problems,
      ...(lostCount > 0 ? [`lost for ${lostCount} recipients`] : []),
      ...(unmarkedCount > 0 ? [`${unmarkedCount} copies too many, and not marked`] : []),
    ],
    lostCount,
    copyCount,
    forgottenCopyCount,
    possibleDuplicate,
    tookMs: Math.max(0, (ends.at(-1)?.at ?? pushedAt) - pushedAt),
  };
}

function distances(at: number, gaps: readonly Gap[]): string {
  return gaps
    .map(({ fromAt, untilAt }) => `${at - fromAt} ms after what Redis forgot began, ${at - untilAt} ms after its cut`)
    .join("; ");
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
