import type { Message } from "../core/message.ts";
import { decodeEncodedWords } from "./encoded-word.ts";
import { oneLine } from "./report-line.ts";

/** What a report says of the message it is about. A whole `Message` fits. */
export type ReportedMessage = Pick<Message, "id" | "messageId" | "date" | "envelope" | "mime">;

/** The header of a finished message, with the CRLF of its last field and without the body. */
export function headerOf(mime: Buffer): Buffer {
  const end = mime.indexOf("\r\n\r\n");
  return end < 0 ? mime : mime.subarray(0, end + 2);
}

/** The Subject in its own script, on one line; empty where there is none. */
export function subjectOf(mime: Buffer): string {
  return oneLine(decodeEncodedWords(valueOf(mime, "subject")));
}

/** Whether a machine wrote it in answer to something (RFC 3834 5), or it is a report itself (RFC 6522). */
export function isAutomatic(mime: Buffer): boolean {
  const submitted = valueOf(mime, "auto-submitted").toLowerCase();
  return !/^(?:no\b.*)?$/.test(submitted) || /^multipart\/report\b/i.test(valueOf(mime, "content-type"));
}

/** The first field of that name, unfolded; empty where there is none. */
function valueOf(mime: Buffer, name: string): string {
  const fields = headerOf(mime)
    .toString("utf8")
    .replaceAll(/\r\n(?=[ \t])/g, "")
    .split("\r\n");
  const field = fields.find((line) => line.slice(0, line.indexOf(":")).trim().toLowerCase() === name);
  return field === undefined ? "" : field.slice(field.indexOf(":") + 1).trim();
}
