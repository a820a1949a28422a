import type { DeliveryRecord, RecipientRecord } from "../core/index.ts";
import type { LedgerEvent, RecordChange } from "./event.ts";

/** Attempts kept word for word in a record: the first tell how it began, the latest how it stands. */
const FIRST_KEPT = 5;
const LATEST_KEPT = 25;

/**
 * A message's record, made of its log: the log is what is true, the record is how it reads. Throws where the log does
 * not begin with `message.received`, since such a log is none.
 */
export function fold(
  id: string,
  events: readonly LedgerEvent[],
  metadata: DeliveryRecord["metadata"] = {},
): DeliveryRecord {
  const [first, ...rest] = events;
  if (first?.type !== "message.received") throw new Error(`the log of ${id} does not begin with message.received`);
  return rest.reduce(apply, received(id, first, metadata));
}

function received(
  id: string,
  { messageId, recipients }: Extract<LedgerEvent, { type: "message.received" }>,
  metadata: DeliveryRecord["metadata"],
): DeliveryRecord {
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

function apply(record: DeliveryRecord, event: LedgerEvent): DeliveryRecord {
  switch (event.type) {
    case "message.received":
    case "attempt.started":
      return record;
    case "attempt.ended": {
      const attempts = [...record.attempts, event.attempt];
      if (attempts.length > FIRST_KEPT + LATEST_KEPT) attempts.splice(FIRST_KEPT, 1);
      return change({ ...record, attempts, attemptCount: event.attempt.number }, event.change);
    }
    default:
      return change(record, event.change);
  }
}

function change(record: DeliveryRecord, { recipients = [], ...fields }: RecordChange): DeliveryRecord {
  const changed = new Map(recipients.map((recipient) => [recipient.address, recipient]));
  return {
    ...record,
    ...fields,
    recipients: record.recipients.map((recipient) => changed.get(recipient.address) ?? recipient),
  };
}

/** What is different in `after`, so that folding it onto `before` gives `after` again. */
export function changeBetween(before: DeliveryRecord, after: DeliveryRecord): RecordChange {
  const { id: _id, messageId: _messageId, attempts: _attempts, metadata: _metadata, recipients, ...fields } = after;
  const differing = Object.entries(fields).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name as keyof DeliveryRecord]),
  );
  const changed = recipients.filter((recipient, index) => !sameRecipient(recipient, before.recipients[index]));
  return { ...Object.fromEntries(differing), ...(changed.length === 0 ? {} : { recipients: changed }) };
}

function sameRecipient(recipient: RecipientRecord, before: RecipientRecord | undefined): boolean {
  return JSON.stringify(recipient) === JSON.stringify(before);
}
