import type { AttachmentSource, CalendarEvent, Mailbox, Submission } from "../core/message.ts";
import { parseAttachments } from "./attachment-input.ts";
import { parseHeaders } from "./headers.ts";
import { parseMailboxes } from "./mailbox-list.ts";
import type { Report } from "./problem.ts";
import type { ReadContext } from "./read-context.ts";
import type { MessageInput } from "./schema.ts";
import { filenameProblem, headerTextProblem } from "./text.ts";

/** A message's author, its recipients by its own headers, and its content. Null where there are problems. */
export type ReadBody = {
  readonly from: Mailbox | null;
  readonly recipients: readonly string[];
  readonly content: Submission["content"] | null;
};

/** Reads the fields of a message that Mailover composes. */
export function readParts(input: MessageInput, context: ReadContext): ReadBody {
  const { limits, report, isBad } = context;
  const from = readFrom(input, context);
  const [to, cc, bcc, replyTo] = (["to", "cc", "bcc", "replyTo"] as const).map((field) =>
    parseMailboxes(field, input[field] ?? [], report),
  ) as [Mailbox[], Mailbox[], Mailbox[], Mailbox[]];
  const subject = (input.subject ?? "").trim();
  const badSubject = headerTextProblem(subject);
  if (badSubject !== null) report("subject", badSubject);
  const headers = parseHeaders(input.headers ?? [], limits, report);
  const attachments = parseAttachments(input.attachments ?? [], limits, report);
  const calendar = readCalendar(input.icalEvent, report);
  const isEmpty = input.text === undefined && input.html === undefined && calendar === null && attachments.length === 0;
  if (isEmpty && !["text", "html", "icalEvent", "attachments"].some(isBad)) {
    report("message", "needs at least one of text, html, icalEvent, attachments or raw");
  }
  if (givenBytes(input, attachments) > limits.maxSizeBytes) {
    report("message", `has more than ${limits.maxSizeBytes} octets`);
  }
  const recipients = [...to, ...cc, ...bcc].map(({ address }) => address);
  if (from === null) return { from, recipients, content: null };
  const { text = null, html = null } = input;
  const parts = { from, to, cc, bcc, replyTo, subject, text, html, headers, calendar };
  return { from, recipients, content: { kind: "parts", parts, attachments } };
}

function readFrom(input: MessageInput, { report, isBad }: ReadContext): Mailbox | null {
  const mailboxes = parseMailboxes("from", input.from ?? [], report);
  if (mailboxes.length > 1) report("from", `names ${mailboxes.length} mailboxes: one is needed`);
  if (mailboxes.length === 0 && !isBad("from")) report("from", "is missing");
  return mailboxes[0] ?? null;
}

function readCalendar(input: MessageInput["icalEvent"], report: Report): CalendarEvent | null {
  if (input === undefined) return null;
  const event = typeof input === "string" ? { content: input } : input;
  const method = (event.method ?? "PUBLISH").toUpperCase();
  if (!/^[A-Z][A-Z-]{0,49}$/.test(method)) report("icalEvent.method", "is not a method such as REQUEST");
  const badName = filenameProblem(event.filename ?? "");
  if (badName !== null) report("icalEvent.filename", badName);
  return { method, filename: event.filename?.trim() || null, content: event.content };
}

/** A lower bound of the size as MIME, so that a message far too large is refused before it is composed. */
function givenBytes(input: MessageInput, attachments: readonly AttachmentSource[]): number {
  return attachments.reduce(
    (sum, { source }) => sum + (source.kind === "content" ? source.content.length : 0),
    Buffer.byteLength(input.text ?? "") + Buffer.byteLength(input.html ?? ""),
  );
}
