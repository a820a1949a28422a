import type { Attachment, Mailbox, Message, MessageParts } from "../../../../src/core/index.ts";

export function box(address: string, name: string | null = null): Mailbox {
  return { name, address };
}

export function file(name: string, content: string | Buffer, more: Partial<Attachment> = {}): Attachment {
  return {
    filename: name,
    contentType: "application/octet-stream",
    content: Buffer.from(content),
    cid: null,
    disposition: "attachment",
    ...more,
  };
}

export function partsWith(parts: Partial<MessageParts> = {}): MessageParts {
  return {
    from: box("noreply@contoso.com", "Contoso"),
    to: [box("ada@example.com", "Ada")],
    cc: [],
    bcc: [],
    replyTo: [],
    subject: "Hello",
    text: "Hi Ada",
    html: null,
    headers: [],
    attachments: [],
    calendar: null,
    ...parts,
  };
}

/** A message of these parts, for everybody its header names. */
export function messageWith(parts: Partial<MessageParts> = {}, more: Partial<Message> = {}): Message {
  const whole = partsWith(parts);
  return {
    id: "01HMAILOVER",
    messageId: "<01HMAILOVER@contoso.com>",
    date: new Date("2026-11-24T10:00:00Z"),
    envelope: {
      mailFrom: whole.from.address,
      rcptTo: [...whole.to, ...whole.cc, ...whole.bcc].map(({ address }) => address),
    },
    from: whole.from,
    class: "transactional",
    tags: [],
    tenant: null,
    metadata: {},
    parts: whole,
    mime: Buffer.from("Subject: Hello\r\n\r\nHi Ada\r\n"),
    ...more,
  };
}

/** A message the app gave as MIME; lines may end in LF. */
export function rawMessage(mime: string, more: Partial<Message> = {}): Message {
  const lines = mime.replace(/^\n/, "").replaceAll(/\r?\n/g, "\r\n");
  return messageWith({}, { parts: null, mime: Buffer.from(lines), ...more });
}
