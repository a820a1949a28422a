import type { Cause } from "./cause.ts";
import type { Outcome } from "./outcome.ts";
import type { Stage } from "./stage.ts";

/** Where a message stands. `relayed`, `bounced` and `expired` are final. */
export type MessageStatus = "relaying" | "deferred" | "held" | "relayed" | "bounced" | "expired" | "cancelled";

export type RecipientRecord = {
  readonly address: string;
  readonly status: "pending" | "relayed" | "refused";
  /** The provider that took it or refused it. */
  readonly provider: string | null;
  /** Why it was refused, or why it still waits: the reply word for word. */
  readonly reason: string | null;
};

export type AttemptRecord = {
  /** Counts up from 1 over all providers. */
  readonly number: number;
  readonly provider: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly outcome: Outcome["kind"];
  readonly stage: Stage | null;
  readonly cause: Cause | null;
  readonly status: string | null;
  /** The reply word for word. */
  readonly reply: string;
  readonly remoteId: string | null;
  readonly remedy: string | null;
};

/** A provider that a round left out, and why in words. */
export type Skip = { readonly provider: string; readonly reason: string };

/**
 * What became of a message so far: BullMQ progress while it is under way, and its return value once it is relayed.
 * Instants are ISO 8601 in UTC.
 */
export type DeliveryRecord = {
  readonly status: MessageStatus;
  /** Mailover's id, as in the header X-Mailover-Id. */
  readonly id: string;
  readonly messageId: string;
  /** The provider that relayed it last, or null. */
  readonly provider: string | null;
  readonly remoteId: string | null;
  readonly recipients: readonly RecipientRecord[];
  /** The first and the latest attempts; `attemptCount` counts them all. */
  readonly attempts: readonly AttemptRecord[];
  readonly attemptCount: number;
  /** Rounds that ended in a deferral after an attempt, or with no provider to ask; sets the length of the next delay. */
  readonly deferralCount: number;
  /** Who was left out in the latest round. */
  readonly skipped: readonly Skip[];
  /** One sentence: why it is where it is. Null once relayed to all. */
  readonly reason: string | null;
  /** When the next round is due, while deferred or held. */
  readonly nextAttemptAt: string | null;
  /** Whether a second copy may exist. */
  readonly possibleDuplicate: boolean;
  /** The provider that may have accepted it, while that is not settled and no other may have it. */
  readonly uncertainAt: string | null;
  /** Whether any attempt may have been accepted without our knowing: one more attempt may make a second copy. */
  readonly unsettled: boolean;
  /** How often a provider was asked what became of it, since it became uncertain. */
  readonly lookupCount: number;
  /** Providers that refused the message or its sender for good. */
  readonly refusedBy: readonly string[];
  /** Since when the message has waited for a throttled provider, or null. */
  readonly throttledSince: string | null;
  /**
   * Whether an operator let it go on at the provider that may have it, whatever its class says. Until the next answer of
   * that provider is lost.
   */
  readonly isReleased?: boolean;
  /** Since when it is tried again by hand, after it bounced or expired; its time to give up counts from then. */
  readonly reopenedAt?: string;
  /** The app's own, handed back. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The job that has this message, where another one brought it again. */
  readonly duplicateOf?: string;
};

/** Attempts kept word for word in a record: the first tell how it began, the latest how it stands. */
const FIRST_KEPT = 5;
const LATEST_KEPT = 25;

/** The record of a message that no attempt was made for yet. */
export function newRecord({
  id,
  messageId,
  recipients,
  metadata,
}: Pick<DeliveryRecord, "id" | "messageId" | "metadata"> & { readonly recipients: readonly string[] }): DeliveryRecord {
  return {
    status: "relaying",
    id,
    messageId,
    provider: null,
    remoteId: null,
    recipients: recipients.map((address) => ({ address, status: "pending", provider: null, reason: null })),
    attempts: [],
    attemptCount: 0,
    deferralCount: 0,
    skipped: [],
    reason: null,
    nextAttemptAt: null,
    possibleDuplicate: false,
    uncertainAt: null,
    unsettled: false,
    lookupCount: 0,
    refusedBy: [],
    throttledSince: null,
    metadata,
  };
}

/** The record with one attempt more. */
export function withAttempt(record: DeliveryRecord, attempt: AttemptRecord): DeliveryRecord {
  const attempts = [...record.attempts, attempt];
  if (attempts.length > FIRST_KEPT + LATEST_KEPT) attempts.splice(FIRST_KEPT, 1);
  return { ...record, attempts, attemptCount: attempt.number };
}
