import { newRecord, withAttempt } from "../core/index.ts";
import type { DeliveryRecord, RecipientRecord } from "../core/index.ts";
import type { LedgerEvent, RecordChange } from "./event.ts";

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
  const { messageId, recipients } = first;
  return rest.reduce(apply, newRecord({ id, messageId, recipients, metadata }));
}

function apply(record: DeliveryRecord, event: LedgerEvent): DeliveryRecord {
  switch (event.type) {
    case "message.received":
    case "attempt.started":
      return record;
    case "attempt.ended":
      return change(withAttempt(record, event.attempt), event.change);
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

/** When an attempt began, as its log has it, or null. */
export function startOf(number: number, events: readonly LedgerEvent[]): number | null {
  const started = events.findLast((event) => event.type === "attempt.started" && event.number === number);
  return started?.at ?? null;
}
