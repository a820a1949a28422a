import type { Header, Message } from "../../src/core/index.ts";
import { encodeHeaderValue } from "./encoded-word.ts";

/**
 * Fields that the API refuses in `headers`, and fields that describe the MIME or the path of the message we were given:
 * SendGrid composes and signs a new one. The first two lines are the API's own list
 * (SendGrid's mail/send reference, "headers", read 2026-11-24).
 */
const LEFT_OUT = new Set(
  [
    "x-sg-id x-sg-eid received dkim-signature content-type content-transfer-encoding",
    "to from subject reply-to cc bcc",
    "date mime-version return-path delivered-to domainkey-signature authentication-results",
    "message-id x-mailover-id",
  ].flatMap((names) => names.split(" ")),
);

/** The API's `headers`: the app's own fields, the Message-ID and Mailover's id. */
export function apiHeaders(message: Message, headers: readonly Header[]): Readonly<Record<string, string>> {
  return Object.fromEntries([
    ...kept(headers).map(({ name, value }) => [name, encodeHeaderValue(value)]),
    ["Message-ID", message.messageId],
    ["X-Mailover-Id", message.id],
  ]);
}

/** The name of a field that comes twice, which the API's `headers` cannot hold, or null. */
export function repeatedHeader(headers: readonly Header[]): string | null {
  const seen = new Set<string>();
  for (const { name } of kept(headers)) {
    if (seen.has(name.toLowerCase())) return name;
    seen.add(name.toLowerCase());
  }
  return null;
}

function kept(headers: readonly Header[]): readonly Header[] {
  return headers.filter(({ name }) => {
    const lower = name.toLowerCase();
    return !LEFT_OUT.has(lower) && !lower.startsWith("content-") && !lower.startsWith("arc-");
  });
}
