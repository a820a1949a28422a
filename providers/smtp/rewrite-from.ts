import { mapFrom } from "../../src/core/index.ts";
import type { FromMapping, Mailbox, Message } from "../../src/core/index.ts";
import { mailboxHeader } from "./mailbox-header.ts";

/**
 * The message as a provider with this mapping must send it: another From, the original one as Reply-To where there is
 * none, and the envelope's sender along with it where the two were the same. The body stays byte for byte.
 */
export function rewriteFrom(message: Message, mapping: FromMapping): Message {
  const from = mapFrom(mapping, message.from);
  if (from === null) return message;
  const { envelope, parts } = message;
  const sameSender = envelope.mailFrom.toLowerCase() === message.from.address.toLowerCase();
  return {
    ...message,
    from,
    envelope: sameSender ? { ...envelope, mailFrom: from.address } : envelope,
    parts:
      parts === null ? null : { ...parts, from, replyTo: parts.replyTo.length === 0 ? [parts.from] : parts.replyTo },
    mime: replaceFrom(message.mime, from, message.from),
  };
}

function replaceFrom(mime: Buffer, from: Mailbox, original: Mailbox): Buffer {
  const end = mime.indexOf("\r\n\r\n");
  const headBytes = end === -1 ? mime.length : end;
  // latin1 gives each byte a character and back, whatever the header's encoding is.
  const fields = mime.toString("latin1", 0, headBytes).split(/\r\n(?![ \t])/);
  const index = fields.findIndex((field) => isField(field, "from"));
  const originalValue = fields[index]?.replace(/^[^:]*:/, "") ?? ` ${latin1(mailboxHeader(original))}`;
  const written = [`From: ${latin1(mailboxHeader(from))}`];
  if (!fields.some((field) => isField(field, "reply-to"))) written.push(`Reply-To:${originalValue}`);
  const before = fields.slice(0, Math.max(index, 0));
  const after = fields.slice(index + 1).filter((field) => !isField(field, "from"));
  const head = Buffer.from([...before, ...written, ...after].join("\r\n"), "latin1");
  return Buffer.concat([head, mime.subarray(headBytes)]);
}

function isField(field: string, name: string): boolean {
  return field.slice(0, field.indexOf(":")).trimEnd().toLowerCase() === name;
}

function latin1(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
