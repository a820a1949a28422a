import MailComposer from "nodemailer/lib/mail-composer";

import type { Mailbox, Message, MessageParts, Submission } from "../core/message.ts";
import { readAttachments } from "./attachments.ts";
import type { MessageIdentity } from "./identity.ts";
import type { MessageLimits } from "./limits.ts";
import type { Problem } from "./problem.ts";
import { finishRaw } from "./raw.ts";
import { normalizeLineEnds } from "./text.ts";

export type Composition =
  | { readonly ok: true; readonly message: Message }
  | {
      readonly ok: false;
      readonly problems: readonly Problem[];
      /** Whether it may well succeed later: every problem is a file or a server that did not answer. */
      readonly retryable: boolean;
    };

/**
 * Makes the finished message, once, for all attempts and providers: reads the attachments and builds the MIME. The same
 * submission, identity and attachments give the same bytes.
 */
export async function compose(
  submission: Submission,
  identity: MessageIdentity,
  limits: MessageLimits,
): Promise<Composition> {
  const { content } = submission;
  if (content.kind === "raw") return finish(submission, identity, limits, null, finishRaw(content.raw, identity));
  const { attachments, problems } = await readAttachments(content.attachments, limits);
  if (problems.length > 0) {
    return { ok: false, problems, retryable: problems.every(({ retryable }) => retryable) };
  }
  const parts = {
    ...content.parts,
    headers: content.parts.headers.filter(({ name }) => !isMessageIdName(name)),
    attachments,
  };
  const unfit = parts.attachments.findIndex((attachment) => !fitsAsMessage(attachment));
  if (unfit >= 0) {
    const rule = "is of a message/* type, which cannot be encoded, but has a NUL or a line of more than 998 octets";
    return { ok: false, problems: [{ field: `attachments[${unfit}]`, value: "", rule }], retryable: false };
  }
  return finish(submission, identity, limits, parts, await buildMime(parts, identity));
}

function finish(
  submission: Submission,
  { id, messageId, date }: MessageIdentity,
  limits: MessageLimits,
  parts: MessageParts | null,
  mime: Buffer,
): Composition {
  if (mime.length > limits.maxSizeBytes) {
    const rule = `has ${mime.length} octets as MIME, more than ${limits.maxSizeBytes}`;
    return { ok: false, problems: [{ field: "message", value: "", rule }], retryable: false };
  }
  const { envelope, from, tags, tenant, metadata } = submission;
  const message = { id, messageId, date, envelope, from, class: submission.class, tags, tenant, metadata, parts, mime };
  return { ok: true, message };
}

/** Everything is given as content, and nodemailer may open neither files nor URLs. Bcc is not even given to it. */
function buildMime(parts: MessageParts, identity: MessageIdentity): Promise<Buffer> {
  const headers = [...parts.headers, { name: "X-Mailover-Id", value: identity.id }];
  const spelling = new Map(headers.map(({ name }) => [name.toLowerCase(), name]));
  const composer = new MailComposer({
    from: addressOf(parts.from),
    to: parts.to.map(addressOf),
    cc: parts.cc.map(addressOf),
    replyTo: parts.replyTo.map(addressOf),
    subject: parts.subject,
    messageId: identity.messageId,
    date: identity.date,
    headers: headers.map(({ name, value }) => ({ key: name, value })),
    ...(parts.text === null ? {} : { text: normalizeLineEnds(parts.text) }),
    ...(parts.html === null ? {} : { html: normalizeLineEnds(parts.html) }),
    ...(parts.calendar === null ? {} : { icalEvent: calendarOf(parts.calendar) }),
    attachments: parts.attachments.map(attachmentOf),
    baseBoundary: identity.id,
    boundaryPrefix: "mailover",
    newline: "\r\n",
    disableFileAccess: true,
    disableUrlAccess: true,
    // Keeps the spelling of names that nodemailer would write its own way, such as X-Mailover-ID.
    normalizeHeaderKey: (key) => spelling.get(key.toLowerCase()) ?? key,
  });
  return composer.compile().build();
}

function addressOf({ name, address }: Mailbox): { name: string; address: string } {
  return { name: name ?? "", address };
}

function calendarOf({ method, filename, content }: NonNullable<MessageParts["calendar"]>) {
  return { method, content: normalizeLineEnds(content), ...(filename === null ? {} : { filename }) };
}

function attachmentOf({ filename, contentType, content, cid, disposition }: MessageParts["attachments"][number]) {
  return {
    content: isMessageType(contentType)
      ? Buffer.from(normalizeLineEnds(content.toString("latin1")), "latin1")
      : content,
    contentDisposition: disposition,
    ...(filename === null ? {} : { filename }),
    ...(contentType === null ? {} : { contentType }),
    ...(cid === null ? {} : { cid }),
  };
}

function isMessageIdName(name: string): boolean {
  return name.toLowerCase() === "message-id";
}

function isMessageType(contentType: string | null): boolean {
  return contentType !== null && /^message\//i.test(contentType);
}

/** A `message/*` part goes out as it is (RFC 2046 5.2.1), so it must be what a mail line can carry. */
function fitsAsMessage({ contentType, content }: MessageParts["attachments"][number]): boolean {
  return !isMessageType(contentType) || !/\0|[^\r\n]{999}/.test(content.toString("latin1"));
}
