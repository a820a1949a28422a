import PostalMime from "postal-mime";
import type { Address, Attachment as ParsedAttachment, Email } from "postal-mime";
import type { Attachment, CalendarEvent, Mailbox, Message, MessageParts } from "../../src/core/index.ts";
import { rawStructure } from "./raw-structure.ts";

const known = new WeakMap<Message, Promise<MessageParts | string>>();

/** The parts of a raw message, or a sentence saying why it has none that hold all of it. Parsed once a message. */
export function rawParts(message: Message): Promise<MessageParts | string> {
  const parts = known.get(message) ?? parse(message);
  known.set(message, parts);
  return parts;
}

async function parse(message: Message): Promise<MessageParts | string> {
  const structure = rawStructure(message);
  if (structure.obstacle !== null) return structure.obstacle;
  let email: Email;
  try {
    email = await PostalMime.parse(message.mime);
  } catch {
    return "the MIME of the message cannot be read";
  }
  const invitation = structure.hasCalendar ? email.attachments.find(isInvitation) : undefined;
  const attachments = email.attachments.filter((attachment) => attachment !== invitation);
  if (structure.hasCalendar && invitation === undefined) return "the calendar part of the message cannot be read";
  if (attachments.length !== structure.attachmentCount)
    return "the attachments of the message cannot be told from its text";
  return {
    from: message.from,
    to: mailboxes(email.to),
    cc: mailboxes(email.cc),
    bcc: [],
    replyTo: mailboxes(email.replyTo),
    subject: email.subject ?? "",
    text: email.text ?? null,
    html: email.html ?? null,
    headers: email.headers.map(({ originalKey, value }) => ({ name: originalKey, value })),
    attachments: attachments.map(attachmentOf),
    calendar: invitation === undefined ? null : calendarOf(invitation),
  };
}

/** Members of groups count each for itself; a group has no form in the API. */
function mailboxes(addresses: readonly Address[] | undefined): readonly Mailbox[] {
  return (addresses ?? [])
    .flatMap((address) => address.group ?? [address])
    .flatMap(({ name, address }) => (address === "" ? [] : [{ name: name === "" ? null : name, address }]));
}

function isInvitation({ mimeType, disposition }: ParsedAttachment): boolean {
  return mimeType === "text/calendar" && disposition !== "attachment";
}

function attachmentOf(parsed: ParsedAttachment): Attachment {
  const inline = parsed.disposition === "inline" || (parsed.disposition === null && parsed.related === true);
  return {
    filename: parsed.filename,
    contentType: parsed.mimeType,
    content: bytesOf(parsed),
    cid: parsed.contentId?.replaceAll(/^<|>$/g, "") ?? null,
    disposition: inline ? "inline" : "attachment",
  };
}

function calendarOf(parsed: ParsedAttachment): CalendarEvent {
  const content = bytesOf(parsed).toString("utf8");
  const method = parsed.method ?? /^METHOD:(\S+)/im.exec(content)?.[1] ?? "PUBLISH";
  return { method, filename: parsed.filename, content };
}

/** The parser turns the line ends of calendars into LF; RFC 5545 3.1 wants CRLF. */
function bytesOf({ content, mimeType }: ParsedAttachment): Buffer {
  const bytes = typeof content === "string" ? Buffer.from(content) : Buffer.from(new Uint8Array(content));
  const isCalendar = mimeType === "text/calendar" || mimeType === "application/ics";
  return isCalendar ? Buffer.from(bytes.toString("utf8").replaceAll(/\r?\n/g, "\r\n")) : bytes;
}
