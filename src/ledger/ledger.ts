import type { AttemptRecord, DeliveryRecord, MessageClass, MessageStatus } from "../core/index.ts";
import type { LedgerEvent, RecordChange } from "./event.ts";

/** What the ledger is told of a message that it may not know yet. */
export type Introduction = {
  readonly id: string;
  readonly messageId: string;
  readonly class: MessageClass;
  readonly recipients: readonly string[];
  readonly metadata: DeliveryRecord["metadata"];
  /** The job it came in: while that has it, no other job can. */
  readonly jobId: string;
  /** Digest of what the app wrote, to tell the same message pushed again from another one under the same key. */
  readonly digest: string;
  /** How often a worker died with the job, as BullMQ counts it. */
  readonly stalledCount: number;
  /** How long its log is kept after its end, in milliseconds. */
  readonly keepMs: number;
};

/** An attempt that a worker began and did not end, since it died or lost the message. */
export type OpenAttempt = {
  readonly number: number;
  readonly provider: string;
  /** Whether its content may have gone out: the mark that is set just before the end of the content. */
  readonly contentMayBeOut: boolean;
  /** When it began, epoch milliseconds; null where its beginning was not written, but its mark was. */
  readonly startedAt: number | null;
};

/** Which attempt a write is about. */
export type AttemptKey = { readonly number: number; readonly provider: string };

/** What a worker holds of a message it took: the fence that each of its writes is checked against. */
export type Hold = {
  readonly id: string;
  readonly fence: number;
  readonly by: string;
  readonly keepMs: number;
};

/** Counts the writes of a hold from 1: one that is sent again, since its answer was lost, is written once. */
export type Step = number;

export type Taken =
  | ({ readonly kind: "taken" } & TakenMessage)
  /** The message is another job's; or this job's, which brings another content under its key. */
  | { readonly kind: "duplicate"; readonly jobId: string; readonly sameContent: boolean };

export type TakenMessage = {
  readonly hold: Hold;
  /** Whether the ledger met the message for the first time. */
  readonly isNew: boolean;
  /** Where the message is over: whether someone has it retried, and not just a worker that died before it could say so. */
  readonly isRetried: boolean;
  readonly record: DeliveryRecord;
  readonly openAttempt: OpenAttempt | null;
};

/** What became of a change that somebody other than the message's worker asked for. */
export type Intervention =
  | { readonly kind: "done"; readonly record: DeliveryRecord }
  | { readonly kind: "refused"; readonly status: MessageStatus; readonly underWay: boolean }
  | { readonly kind: "unknown" };

/**
 * The append-only record of each message, written ahead. Each step is one atomic write that is checked against the fence
 * of the one who writes: `false` means that the message is another worker's now, and that nothing was written. Errors of
 * the store are thrown.
 */
export interface Ledger {
  /** Takes a message: from now on every earlier hold on it is void. */
  take(introduction: Introduction, by: string): Promise<Taken>;
  /** Before an attempt. */
  start(hold: Hold, step: Step, attempt: AttemptKey): Promise<boolean>;
  /** Before the last byte of its content. */
  mark(hold: Hold, step: Step, attempt: AttemptKey): Promise<boolean>;
  /** After it, with what it changes; where the message then changes its state, in the same step. */
  end(hold: Hold, step: Step, attempt: AttemptRecord, change: RecordChange, move?: Move): Promise<boolean>;
  /** The message changes its state. A final one is kept for its time. */
  move(hold: Hold, step: Step, move: Move): Promise<boolean>;
  /** Somebody else ends a message that waits; its worker's hold is void with it. */
  cancel(introduction: Introduction, by: string, reason: string): Promise<Intervention>;
  /** Its log, oldest first; empty where it is unknown or no longer kept. */
  log(id: string): Promise<readonly LedgerEvent[]>;
}

/** A change of state, as it is logged. */
export type Move = { readonly type: MoveType; readonly change: RecordChange };

export type MoveType = Exclude<LedgerEvent["type"], "message.received" | "attempt.started" | "attempt.ended">;
