/**
 * Fields of a job's data that stay readable in Redis: the queue sorts by them, routes go by them, operators look for
 * them. Whatever is on neither list is content, so that a field that is new is sealed until someone decides otherwise.
 * `metadata` stands in the record of the message as well, so that sealing it here would hide nothing.
 */
const READABLE: ReadonlySet<string> = new Set([
  "class",
  "expiresAt",
  "sendAt",
  "tags",
  "tenant",
  "metadata",
  "providers",
  "onUncertain",
  "whenThrottled",
  "dsn",
  "idempotencyKey",
]);

/** Fields that hold mail addresses and nothing else. */
const ADDRESSES: ReadonlySet<string> = new Set(["from", "to", "cc", "bcc", "replyTo", "envelope"]);

/** Content, addresses, or what stays readable. */
export type FieldKind = "content" | "addresses" | "readable";

/** What a field of a job's data holds, by its name. */
export function fieldKind(name: string): FieldKind {
  if (READABLE.has(name)) return "readable";
  return ADDRESSES.has(name) ? "addresses" : "content";
}
