import type { AttemptRecord, DeliveryRecord, MessageStatus, Outcome, RecipientRecord } from "../core/index.ts";

/** Characters of a reply that are kept: a record is saved often, and BullMQ sends each as an event. */
const REPLY_KEPT = 1_000;

/** A reply word for word, as far as it is kept. */
export function clipped(reply: string): string {
  return reply.length > REPLY_KEPT ? `${reply.slice(0, REPLY_KEPT - 1)}…` : reply;
}

/** A bounced or expired message that someone retries by hand: those who were refused wait again, and so may providers. */
export function reopened(record: DeliveryRecord, now: number): DeliveryRecord {
  return {
    ...record,
    status: "relaying",
    recipients: record.recipients.map((recipient) =>
      recipient.status === "refused" ? { ...recipient, status: "pending", provider: null } : recipient,
    ),
    deferralCount: 0,
    reason: null,
    refusedBy: [],
    reopenedAt: new Date(now).toISOString(),
  };
}

export function pendingRecipients(record: DeliveryRecord): string[] {
  return record.recipients.filter(({ status }) => status === "pending").map(({ address }) => address);
}

/** What an attempt that is over looks like in the record. */
export function attemptRecord(
  outcome: Outcome,
  facts: Pick<AttemptRecord, "number" | "provider" | "startedAt" | "endedAt">,
): AttemptRecord {
  if (outcome.kind === "relayed") {
    const { remoteId } = outcome;
    const reply = clipped(outcome.reply);
    return { ...facts, outcome: "relayed", stage: null, cause: null, status: null, reply, remoteId, remedy: null };
  }
  const { failure } = outcome;
  return {
    ...facts,
    outcome: outcome.kind,
    stage: failure.stage,
    cause: failure.cause,
    status: failure.status,
    reply: clipped(failure.reason),
    remoteId: null,
    remedy: failure.remedy ?? null,
  };
}

/** Sets what became of some recipients; the others stay as they are. */
export function withRecipients(
  record: DeliveryRecord,
  changes: ReadonlyMap<string, Omit<RecipientRecord, "address">>,
): DeliveryRecord {
  return {
    ...record,
    recipients: record.recipients.map((recipient) => ({ ...recipient, ...changes.get(recipient.address) })),
  };
}

/**
 * Ends a message: what still waits is refused with this reason. Relayed to one recipient at least counts as relayed.
 */
export function ended(
  record: DeliveryRecord,
  otherwise: Extract<MessageStatus, "bounced" | "expired">,
  reason: string,
): DeliveryRecord {
  const recipients = record.recipients.map((recipient): RecipientRecord =>
    recipient.status === "pending" ? { ...recipient, status: "refused", reason } : recipient,
  );
  const isRelayed = recipients.some(({ status }) => status === "relayed");
  const refused = recipients.filter(({ status }) => status === "refused");
  const ofSome = `${refused.length} of ${recipients.length} recipients refused: ${refused[0]?.reason ?? reason}`;
  const ofAny = isRelayed ? ofSome : reason;
  return {
    ...record,
    recipients,
    status: isRelayed ? "relayed" : otherwise,
    reason: refused.length === 0 ? null : ofAny,
    nextAttemptAt: null,
    uncertainAt: null,
    throttledSince: null,
  };
}
