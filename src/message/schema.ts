import { z } from "zod";

import { MESSAGE_CLASSES } from "../core/message.ts";

/** Encodings of a string `content`, as Node names them. */
const CONTENT_ENCODINGS = ["utf8", "utf-8", "ascii", "latin1", "base64", "hex"] as const;

const mailboxObject = z
  .strictObject({
    name: z.string().optional().describe("Display name, in any script."),
    address: z.string().describe("The bare address, `local@domain`."),
  })
  .meta({ id: "MailboxObject", description: "A mailbox in two parts." });

const mailbox = z.union([z.string(), mailboxObject]);

const mailboxes = z
  .union([z.string(), mailboxObject, z.array(mailbox)])
  .meta({ id: "Mailboxes", description: "`Name <local@domain>`, several with commas, an object, or a list of these." });

const bufferJson = z
  .strictObject({ type: z.literal("Buffer"), data: z.array(z.int().min(0).max(255)) })
  .meta({ id: "BufferJson", description: "A Buffer as `JSON.stringify` writes it. Base64 is four times smaller." });

const content = z.union([z.string(), bufferJson]);

const encoding = z.enum(CONTENT_ENCODINGS);

const instant = z
  .union([z.iso.datetime({ offset: true }), z.int().min(1_000_000_000_000).max(8_640_000_000_000_000)])
  .meta({ id: "Instant", description: "ISO 8601 with its zone, or milliseconds since 1970." });

const headerValue = z.union([z.string(), z.number()]);

const headers = z.union([
  z.record(z.string(), z.union([z.string(), z.number(), z.array(headerValue)])),
  z.array(z.strictObject({ key: z.string(), value: headerValue })),
]);

const attachment = z
  .strictObject({
    filename: z.string().optional().describe("Name shown to the reader, in any script."),
    content: content.optional().describe("The content itself. Exactly one of `content`, `path` and `href` is given."),
    encoding: encoding.optional().describe("How a string `content` is encoded. Default: `utf8`."),
    contentType: z.string().optional().describe("Media type. Default: by the ending of the filename."),
    cid: z.string().optional().describe("Content-ID, for `cid:` links in the HTML."),
    contentDisposition: z
      .enum(["attachment", "inline"])
      .optional()
      .describe("Default: `inline` where there is a `cid`."),
    path: z.string().optional().describe("A file on the worker, inside one of its allowed folders."),
    href: z.string().optional().describe("A URL on one of the worker's allowed hosts."),
  })
  .meta({ id: "Attachment", description: "A file that goes with the message." });

const icalEvent = z
  .strictObject({
    method: z.string().optional().describe("iTIP method such as `REQUEST`. Default: `PUBLISH`."),
    content: z.string().min(1).describe("The whole `VCALENDAR` text."),
    filename: z.string().optional().describe("Default: `invite.ics`."),
  })
  .meta({ id: "CalendarEvent", description: "An invitation." });

const envelope = z
  .strictObject({
    from: z.string().optional().describe("Return path: a bare address, or empty for the null sender. Default: `from`."),
    to: z
      .union([z.string(), z.array(z.string())])
      .optional()
      .describe("Recipients: bare addresses."),
  })
  .meta({ id: "Envelope", description: "Who the transaction is from and for (RFC 5321), whatever the headers say." });

const raw = z.union([
  z.string(),
  z.strictObject({ content: z.string(), encoding: encoding.optional().describe("Default: `utf8`.") }),
  bufferJson,
]);

/** The data of a job in queue `mail`. What fields mean together is checked in `parse.ts`. */
export const messageSchema = z.strictObject({
  from: mailboxes.optional().describe("The author: one mailbox. Needed unless `raw` is given."),
  to: mailboxes.optional().describe("Recipients."),
  cc: mailboxes.optional().describe("Recipients of a copy."),
  bcc: mailboxes.optional().describe("Recipients that nobody else sees: they are in the envelope only."),
  replyTo: mailboxes.optional().describe("Where answers go."),
  subject: z.string().optional().describe("In any script; one line."),
  text: z.string().optional().describe("Plain text body."),
  html: z.string().optional().describe("HTML body."),
  headers: headers.optional().describe("More header fields: name to value or values, or a list of `{ key, value }`."),
  attachments: z.array(attachment).optional().describe("Files that go with the message."),
  icalEvent: z
    .union([z.string().min(1), icalEvent])
    .optional()
    .describe("An invitation, as an alternative and as a file."),
  raw: raw.optional().describe("A finished MIME message in place of all fields above; needs `envelope.to`."),
  envelope: envelope.optional().describe("Return path and recipients. Default: `from`, and `to`, `cc` and `bcc`."),
  class: z
    .enum(MESSAGE_CLASSES)
    .optional()
    .describe("Kind of mail; sets the defaults below. Default: `transactional`."),
  expiresAt: instant.optional().describe("Never sent after this instant; the message ends as `expired`."),
  sendAt: instant.optional().describe("Not sent before this instant; also its Date."),
  tags: z.array(z.string().min(1).max(100)).max(10).optional().describe("For routing and tracing."),
  idempotencyKey: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe("The same key is the same message, for 7 days after its end: it is sent once, whatever job brings it."),
  tenant: z.string().min(1).max(100).optional().describe("Whose mail it is, for routing and tracing."),
  metadata: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("The app's own; comes back in every event. 10 KB of JSON."),
  providers: z.array(z.string().min(1).max(64)).min(1).optional().describe("Only these providers, in this order."),
  onUncertain: z
    .enum(["resend", "retry", "verify", "hold"])
    .optional()
    .describe("What to do when a provider may have accepted the message. Default: by class."),
  whenThrottled: z
    .union([
      z.enum(["wait", "spill"]),
      z.strictObject({ spillAfterMs: z.int().min(0).describe("Wait this long, then take the next provider.") }),
    ])
    .optional()
    .describe("Wait for a throttled provider, or spill to the next one. Default: by class."),
  dsn: z
    .boolean()
    .optional()
    .describe("Send a delivery report to the envelope sender about recipients not reached. Default: `false`."),
});

/** A job's data as an app writes it. */
export type MessageInput = z.input<typeof messageSchema>;
export type MailboxInput = z.input<typeof mailbox>;
export type ContentInput = z.input<typeof content>;
export type AttachmentInput = z.input<typeof attachment>;
export type HeadersInput = z.input<typeof headers>;
export type RawInput = z.input<typeof raw>;
export type ContentEncoding = (typeof CONTENT_ENCODINGS)[number];
