import type { Header } from "../core/message.ts";
import { headerPolicy } from "./header-policy.ts";
import type { MessageLimits } from "./limits.ts";
import { parseMailbox } from "./mailbox.ts";
import { fieldName } from "./problem.ts";
import type { Report } from "./problem.ts";
import type { HeadersInput } from "./schema.ts";
import { headerTextProblem } from "./text.ts";

// ftext of RFC 5322 3.6.8: printable ASCII but the colon. With 76 octets there is room for the longest word on its line.
const fieldNamePattern = /^[!-9;-~]{1,76}$/;

// msg-id of RFC 5322 3.6.4 without its obsolete forms, up to what a line holds.
const messageIdPattern = /^<[^\s<>@]{1,400}@[^\s<>@]{1,400}>$/;

/** Whether a text is a Message-ID with its angle brackets, in printable ASCII. */
export function isMessageId(text: string): boolean {
  return messageIdPattern.test(text) && /^[!-~]+$/.test(text);
}

/** Reads the app's own header fields. Empty ones are dropped, as nodemailer does. */
export function parseHeaders(input: HeadersInput, limits: MessageLimits, report: Report): Header[] {
  const headers = listOf(input).filter(({ value }) => value !== "");
  if (headers.length > limits.maxHeaderCount) report("headers", `has more than ${limits.maxHeaderCount} fields`);
  const sizeBytes = headers.reduce((sum, { name, value }) => sum + name.length + Buffer.byteLength(value) + 4, 0);
  if (sizeBytes > limits.maxHeaderBytes) report("headers", `has more than ${limits.maxHeaderBytes} octets`);

  const seen = new Set<string>();
  for (const { name, value } of headers) {
    const field = fieldName(["headers", name]);
    const rule = headerProblem(name, value) ?? (seen.has(name.toLowerCase()) ? "is given more than once" : null);
    if (rule !== null) report(field, rule);
    if (headerPolicy(name) !== undefined) seen.add(name.toLowerCase());
  }
  return headers;
}

function headerProblem(name: string, value: string): string | null {
  if (!fieldNamePattern.test(name)) return "is not a header name";
  const row = headerPolicy(name);
  if (row?.policy === "refused") return `cannot be set: ${row.why}`;
  const bad = headerTextProblem(value);
  if (bad !== null || row === undefined) return bad;
  switch (row.policy) {
    case "identity":
      return isMessageId(value) ? null : "is not a Message-ID such as <left@right>";
    case "message-ids":
      return value.split(/\s+/).every(isMessageId) ? null : "is not a list of Message-IDs such as <left@right>";
    case "mailbox":
      return parseMailbox(value).ok ? null : "is not one mailbox";
    default:
      return row.policy satisfies never;
  }
}

function listOf(input: HeadersInput): Header[] {
  const pairs = Array.isArray(input)
    ? input.map(({ key, value }) => [key, value] as const)
    : Object.entries(input).flatMap(([name, value]) => [value].flat().map((one) => [name, one] as const));
  return pairs.map(([name, value]) => ({ name, value: String(value).trim() }));
}
