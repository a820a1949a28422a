import type { Lookup, SoughtMessage } from "../../src/core/index.ts";

/**
 * How long after the beginning of an attempt its copy may come into Sent Items. Exchange stores it on its own time, and an
 * attempt may itself take minutes; Microsoft gives no figure.
 */
export const copyWindowMs = 600_000;

/** How far the clocks of Exchange and of this machine may be apart. */
const clockSkewMs = 30_000;

/** A message in Sent Items, as far as it is looked at. */
export type SentItem = {
  readonly messageId: string;
  /** When Exchange stored it. The date it was sent is the message's own, and older than a late attempt. */
  readonly createdAt: number;
  /** Header fields by name in lower case; empty where they were not asked for or Exchange keeps none. */
  readonly headers: ReadonlyMap<string, string>;
};

export type SentItems = {
  readonly items: readonly SentItem[];
  /** Whether there are no further pages. */
  readonly complete: boolean;
};

/** What to ask for, in OData's words. */
export type SentItemsQuery = { readonly filter: string; readonly select: string; readonly top: number };

/** The message by its Message-ID. */
export function byMessageId(messageId: string): SentItemsQuery {
  const quoted = messageId.replaceAll("'", "''");
  return { filter: `internetMessageId eq '${quoted}'`, select: "internetMessageId,createdDateTime", top: 10 };
}

/**
 * Everything that was stored while the copy of an attempt may have been. Exchange replaces the Message-ID of some senders
 * by one of its own (git-send-email has --outlook-id-fix for smtp.office365.com); then only the header tells.
 */
export function byTime(attemptedAt: number): SentItemsQuery {
  const from = new Date(attemptedAt - clockSkewMs).toISOString();
  const to = new Date(attemptedAt + copyWindowMs).toISOString();
  return {
    filter: `createdDateTime ge ${from} and createdDateTime le ${to}`,
    select: "internetMessageId,createdDateTime,internetMessageHeaders",
    top: 500,
  };
}

/** Reads Graph's list of messages; null where it is none. */
export function parseSentItems(json: object | null): SentItems | null {
  const { value, "@odata.nextLink": next } = (json ?? {}) as { value?: unknown; "@odata.nextLink"?: unknown };
  if (!Array.isArray(value)) return null;
  const items = value.map(parseItem);
  return items.includes(null)
    ? null
    : { items: items.filter((item) => item !== null), complete: next === undefined || next === null };
}

function parseItem(value: unknown): SentItem | null {
  if (typeof value !== "object" || value === null) return null;
  const { internetMessageId, createdDateTime, internetMessageHeaders } = value as Readonly<Record<string, unknown>>;
  const createdAt = typeof createdDateTime === "string" ? Date.parse(createdDateTime) : NaN;
  if (typeof internetMessageId !== "string" || Number.isNaN(createdAt)) return null;
  const fields: readonly unknown[] = Array.isArray(internetMessageHeaders) ? internetMessageHeaders : [];
  const headers = fields.flatMap((field): [string, string][] => {
    const { name, value: text } = (field ?? {}) as { name?: unknown; value?: unknown };
    return typeof name === "string" && typeof text === "string" ? [[name.toLowerCase(), text.trim()]] : [];
  });
  return { messageId: internetMessageId.trim(), createdAt, headers: new Map(headers) };
}

/** What one answer settles, or null where it settles nothing. */
export function judgeItems(message: SoughtMessage, attemptedAt: number, { items }: SentItems): Lookup | null {
  const copies = items.filter((item) => isCopy(item, message));
  const copy = copies.find(({ createdAt }) => createdAt >= attemptedAt - clockSkewMs);
  if (copy !== undefined) {
    const storedAt = new Date(copy.createdAt).toISOString();
    return { kind: "accepted", remoteId: copy.messageId, evidence: `in Sent Items since ${storedAt}` };
  }
  if (copies.length === 0) return null;
  // It may have gone to other recipients, and Exchange keeps one copy of several with the same Message-ID.
  return { kind: "unknown", reason: "Sent Items holds it from before this attempt, which proves nothing of this one" };
}

/** What it means that no copy is among all that was stored in its time. `absentAfterMs` null: absence is never believed. */
export function judgeAbsence(
  attemptedAt: number,
  now: number,
  { items, complete }: SentItems,
  absentAfterMs: number | null,
): Lookup {
  const unknown = (reason: string): Lookup => ({ kind: "unknown", reason });
  if (absentAfterMs === null)
    return unknown("not in Sent Items, which proves nothing without the setting absentAfterMs");
  const ageMs = now - attemptedAt;
  if (ageMs < absentAfterMs) {
    return unknown(`not in Sent Items yet, ${Math.round(ageMs / 1000)} s after the attempt`);
  }
  if (!complete) return unknown("too many messages in Sent Items to look at them all");
  if (items.some(isNameless)) {
    return unknown("Sent Items holds messages of that time whose Message-ID Exchange replaced: it may be one of them");
  }
  return {
    kind: "absent",
    evidence: `not among the ${items.length} messages that came into Sent Items within ${copyWindowMs / 60_000} min of the attempt`,
  };
}

function isCopy({ messageId, headers }: SentItem, message: SoughtMessage): boolean {
  return (
    messageId === message.messageId ||
    headers.get("x-mailover-id") === message.id ||
    headers.get("x-microsoft-original-message-id") === message.messageId
  );
}

/** Whether an item does not say which message it is: Exchange gave it its Message-ID, and no header tells the old one. */
function isNameless({ messageId, headers }: SentItem): boolean {
  const told = headers.has("x-mailover-id") || headers.has("x-microsoft-original-message-id");
  return !told && /\.outlook\.com>?$/i.test(messageId);
}
