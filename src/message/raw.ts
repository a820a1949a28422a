import type { Mailbox } from "../core/message.ts";
import { decodeEncodedWords } from "./encoded-word.ts";
import { isMessageId } from "./headers.ts";
import type { MessageLimits } from "./limits.ts";
import { parseAddress, parseMailbox } from "./mailbox.ts";
import type { Parsed } from "./problem.ts";
import { normalizeLineEnds } from "./text.ts";

/** One field of a raw header: its name as written, and its bytes as latin1 with the CRLFs. */
type RawField = { readonly name: string; readonly text: string };

type RawParts = { readonly fields: readonly RawField[]; readonly body: Buffer };

/** What Mailover writes into a raw message. */
export type RawIdentity = { readonly id: string; readonly messageId: string; readonly date: Date };

/** Checks a finished MIME message: its line ends become CRLF, its header must be readable and name one author. */
export function parseRaw(raw: Buffer, limits: MessageLimits): Parsed<{ readonly raw: Buffer; readonly from: Mailbox }> {
  if (raw.includes(0)) return { ok: false, rule: "has a NUL" };
  const text = normalizeLineEnds(raw.toString("latin1"));
  const normalized = Buffer.from(text.endsWith("\r\n") ? text : `${text}\r\n`, "latin1");
  const parts = splitRaw(normalized);
  if (!parts.ok) return parts;
  const headerBytes = normalized.length - parts.value.body.length;
  if (headerBytes > limits.maxHeaderBytes)
    return { ok: false, rule: `has a header of more than ${limits.maxHeaderBytes} octets` };
  const froms = valuesOf(parts.value, "from");
  if (froms.length !== 1) return { ok: false, rule: `has ${froms.length} From headers: it needs exactly one` };
  const from = parseFrom(froms[0] ?? "");
  return from === null
    ? { ok: false, rule: "has a From header that is not one mailbox" }
    : { ok: true, value: { raw: normalized, from } };
}

/** The raw message's own Message-ID where it has a well-formed one, and only one. */
export function rawMessageId(raw: Buffer): string | null {
  const parts = splitRaw(raw);
  const values = parts.ok ? valuesOf(parts.value, "message-id") : [];
  const [messageId] = values;
  return values.length === 1 && messageId !== undefined && isMessageId(messageId) ? messageId : null;
}

/**
 * Takes out what no recipient may see or what Mailover writes itself, and adds what is missing, on top. Everything else
 * stays byte for byte.
 */
export function finishRaw(raw: Buffer, identity: RawIdentity): Buffer {
  const parts = splitRaw(raw);
  if (!parts.ok) throw new TypeError("finishRaw takes what parseRaw has passed");
  const keepsMessageId = rawMessageId(raw) === identity.messageId;
  const kept = parts.value.fields.filter(({ name }) => {
    const lower = name.toLowerCase();
    if (lower === "message-id") return keepsMessageId;
    return lower !== "bcc" && lower !== "resent-bcc" && !lower.startsWith("x-mailover-");
  });
  const added = [`X-Mailover-Id: ${identity.id}\r\n`];
  if (!keepsMessageId) added.push(`Message-ID: ${identity.messageId}\r\n`);
  if (valuesOf(parts.value, "date").length === 0) {
    added.push(`Date: ${identity.date.toUTCString().replace("GMT", "+0000")}\r\n`);
  }
  const header = [...added, ...kept.map(({ text }) => text)].join("");
  return Buffer.concat([Buffer.from(`${header}\r\n`, "latin1"), parts.value.body]);
}

function splitRaw(raw: Buffer): Parsed<RawParts> {
  const end = raw.indexOf("\r\n\r\n");
  const header = raw.toString("latin1", 0, end < 0 ? raw.length : end + 2);
  const body = end < 0 ? Buffer.alloc(0) : raw.subarray(end + 4);
  const fields: RawField[] = [];
  for (const [index, line] of header.split(/(?<=\r\n)/).entries()) {
    const last = fields.at(-1);
    if (/^[ \t]/.test(line) && last !== undefined) {
      fields[fields.length - 1] = { name: last.name, text: last.text + line };
      continue;
    }
    const name = /^([!-9;-~]+)[ \t]*:/.exec(line)?.[1];
    if (name === undefined) return { ok: false, rule: `has a malformed header: line ${index + 1} is no header field` };
    fields.push({ name, text: line });
  }
  return { ok: true, value: { fields, body } };
}

function valuesOf(parts: RawParts, name: string): string[] {
  return parts.fields
    .filter((field) => field.name.toLowerCase() === name)
    .map(({ text }) => Buffer.from(text.slice(text.indexOf(":") + 1), "latin1").toString("utf8"))
    .map((text) => text.replace(/\r\n(?=[ \t])/g, "").trim());
}

function parseFrom(text: string): Mailbox | null {
  const strict = parseMailbox(text);
  const mailbox = strict.ok ? strict.value : parseLoose(text);
  if (mailbox === null) return null;
  // Encoded words can hide line breaks, which must not reach a header that is made from this name.
  const name = decodeEncodedWords(mailbox.name ?? "")
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim();
  return { name: name || null, address: mailbox.address };
}

/** A name with signs that should stand in quotes, as devices write it, before one address in brackets. */
function parseLoose(text: string): Mailbox | null {
  const [, name = "", bracketed = ""] = /^([^<>@]*)<([^<>\s]+)>$/.exec(text) ?? [];
  const address = parseAddress(bracketed);
  return address.ok ? { name, address: address.value } : null;
}
