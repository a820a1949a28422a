import type { AttemptRecord, RecipientRecord } from "../core/index.ts";
import type { LedgerEvent } from "./event.ts";

/** What the fields of an attempt, and of a recipient, are where an entry of the log leaves them out. */
const ABSENT_IN_ATTEMPT = { stage: null, cause: null, status: null, remoteId: null, remedy: null } as const;
const ABSENT_IN_RECIPIENT = { provider: null, reason: null } as const;

/** An entry of the log as it is stored: JSON, without what is null and would be null again. */
export function pack(event: LedgerEvent): string {
  if (event.type === "message.received" || event.type === "attempt.started") return JSON.stringify(event);
  const change = {
    ...event.change,
    ...recipientsOf(event.change.recipients, (recipient) => without(recipient, ABSENT_IN_RECIPIENT)),
  };
  if (event.type !== "attempt.ended") return JSON.stringify({ ...event, change });
  return JSON.stringify({ ...event, attempt: without(event.attempt, ABSENT_IN_ATTEMPT), change });
}

/** Throws where it is none that this version knows: what it changes must not be passed over. */
export function unpack(text: string): LedgerEvent {
  const event = JSON.parse(text) as LedgerEvent;
  if (event.type === "message.received" || event.type === "attempt.started") return event;
  if (event.change === undefined) throw new Error("an entry of the ledger cannot be read: is it a later version's?");
  const change = {
    ...event.change,
    ...recipientsOf(event.change.recipients, (recipient) => ({ ...ABSENT_IN_RECIPIENT, ...recipient })),
  };
  if (event.type !== "attempt.ended") return { ...event, change };
  return { ...event, attempt: { ...ABSENT_IN_ATTEMPT, ...event.attempt } as AttemptRecord, change };
}

function recipientsOf(
  recipients: readonly RecipientRecord[] | undefined,
  each: (recipient: RecipientRecord) => unknown,
): { recipients?: readonly RecipientRecord[] } {
  return recipients === undefined ? {} : { recipients: recipients.map(each) as RecipientRecord[] };
}

/** The fields of an object that are not null, or not among those that may be absent. */
function without(value: object, absent: object): object {
  return Object.fromEntries(Object.entries(value).filter(([name, field]) => field !== null || !(name in absent)));
}
