import { createHash } from "node:crypto";

import { encodeWord, foldLines, quoteString } from "nodemailer/lib/mime-funcs";
import { encode, wrap } from "nodemailer/lib/qp";

import type { Mailbox } from "../core/message.ts";
import { oneLine } from "./report-line.ts";
import { isAscii } from "./text.ts";

/** One part of a report: its media type, its description for people, its content with CRLF line ends. */
export type ReportPart = { readonly type: string; readonly description: string; readonly content: Buffer };

/** The parts as the body of a multipart, and the boundary between them: made of the parts, so that none can hold it. */
export function multipart(parts: readonly ReportPart[]): { readonly boundary: string; readonly body: string } {
  const encoded = parts.map(encodePart);
  const boundary = `report-${createHash("sha256").update(encoded.join("\0")).digest("hex").slice(0, 32)}`;
  return { boundary, body: [...encoded.map((part) => `--${boundary}\r\n${part}\r\n`), `--${boundary}--\r\n`].join("") };
}

/** 7bit where that carries it, so that programs that read reports without decoding them find what they look for. */
function encodePart({ type, description, content }: ReportPart): string {
  const text = content.toString("latin1");
  const is7bit = !/[^\t\r\n -~]|[^\r\n]{999}/.test(text);
  const charset = type.startsWith("text/") ? `; charset=${isAscii(text) ? "us-ascii" : "utf-8"}` : "";
  return [
    `Content-Type: ${type}${charset}`,
    `Content-Description: ${description}`,
    `Content-Transfer-Encoding: ${is7bit ? "7bit" : "quoted-printable"}`,
    "",
    is7bit ? text : wrap(encode(content), 76),
  ].join("\r\n");
}

/** Free text of a header field, as encoded words where it is not ASCII (RFC 2047), folded. */
export function textField(name: string, text: string): string {
  const line = oneLine(text);
  return foldLines(`${name}: ${isAscii(line) ? line : encodeWord(line, "B", 52)}`, 76);
}

/** A field of one mailbox. An address that is not ASCII stands as it is (RFC 6532). */
export function mailboxField(field: string, { name, address }: Mailbox): string {
  const display = oneLine(name ?? "");
  if (display === "") return `${field}: <${address}>`;
  const phrase = isAscii(display) ? quoteString(display) : encodeWord(display, "B", 52);
  return foldLines(`${field}: ${phrase} <${address}>`, 76);
}
