import type { Attachment, Mailbox, Message, MessageParts } from "../../src/core/index.ts";
import { mapFrom } from "../../src/core/index.ts";
import { addressKey, addressRecipients, apiMailbox } from "./addressing.ts";
import type { Addressing, ApiMailbox } from "./addressing.ts";
import { isAscii } from "./encoded-word.ts";
import { apiHeaders, repeatedHeader } from "./headers.ts";
import type { SendGridSettings } from "./settings.ts";

/** What of the settings shapes a message. */
export type MappingSettings = Pick<
  SendGridSettings,
  "from" | "categoriesFromTags" | "customArgs" | "sandbox" | "tracking"
>;

export type ApiAttachment = {
  readonly content: string;
  readonly filename: string;
  readonly type?: string;
  readonly disposition: "attachment" | "inline";
  readonly content_id?: string;
};

/** The body of a mail/send request, in the API's own names. */
export type MailBody = {
  readonly personalizations: readonly (Addressing & { readonly custom_args: Readonly<Record<string, string>> })[];
  readonly from: ApiMailbox;
  readonly reply_to?: ApiMailbox;
  readonly reply_to_list?: readonly ApiMailbox[];
  readonly subject: string;
  readonly content: readonly { readonly type: string; readonly value: string }[];
  readonly headers: Readonly<Record<string, string>>;
  readonly attachments?: readonly ApiAttachment[];
  readonly categories?: readonly string[];
  readonly mail_settings?: { readonly sandbox_mode: { readonly enable: true } };
  readonly tracking_settings?: Readonly<Record<string, { readonly enable: false; readonly enable_text?: false }>>;
};

/** Categories of one message, and characters of one: the API's limits. */
const MAX_CATEGORIES = 10;
const MAX_CATEGORY_LENGTH = 255;

/** The API refuses an empty subject; this is what mail programs show for one. */
const NO_SUBJECT = "(no subject)";

const NO_TRACKING = {
  click_tracking: { enable: false, enable_text: false },
  open_tracking: { enable: false },
  subscription_tracking: { enable: false },
  ganalytics: { enable: false },
} as const;

/** The request that sends a message to these recipients, and to nobody else. */
export function mailBody(
  message: Message,
  parts: MessageParts,
  recipients: readonly string[],
  settings: MappingSettings,
): MailBody {
  const mapped = mapFrom(settings.from, parts.from);
  const customArgs = { ...settings.customArgs, mailover_id: message.id, message_id: message.messageId };
  const categories = settings.categoriesFromTags ? categoriesOf(message.tags) : [];
  const attachments = [...parts.attachments, ...invitationFile(message)].map(apiAttachment);
  return {
    personalizations: addressRecipients(parts, recipients).map((addressing) => ({
      ...addressing,
      custom_args: customArgs,
    })),
    from: apiMailbox(mapped ?? parts.from),
    // Where From had to change, answers still go to the app's own.
    ...replyTo(parts.replyTo.length === 0 && mapped !== null ? [parts.from] : parts.replyTo),
    subject: parts.subject.trim() === "" ? NO_SUBJECT : parts.subject,
    content: contentOf(parts),
    headers: apiHeaders(message, parts.headers),
    ...(attachments.length > 0 && { attachments }),
    ...(categories.length > 0 && { categories }),
    ...(settings.sandbox && { mail_settings: { sandbox_mode: { enable: true } } }),
    ...(settings.tracking === "off" && { tracking_settings: NO_TRACKING }),
  };
}

/** The API takes `reply_to` or `reply_to_list`, never both, and no address twice. */
function replyTo(mailboxes: MessageParts["replyTo"]): Pick<MailBody, "reply_to" | "reply_to_list"> {
  const list = [...new Map(mailboxes.map((mailbox) => [addressKey(mailbox.address), apiMailbox(mailbox)])).values()];
  const [first] = list;
  if (first === undefined) return {};
  return list.length === 1 ? { reply_to: first } : { reply_to_list: list };
}

/** Text, HTML, then anything else: the API insists on that order, and on one part at least, each of a character or more. */
function contentOf({ text, html, calendar }: MessageParts): MailBody["content"] {
  const content = [
    ...(text === null || text === "" ? [] : [{ type: "text/plain", value: text }]),
    ...(html === null || html === "" ? [] : [{ type: "text/html", value: html }]),
    ...(calendar === null
      ? []
      : [{ type: `text/calendar; method=${calendar.method.toUpperCase()}`, value: calendar.content }]),
  ];
  return content.length === 0 ? [{ type: "text/plain", value: " " }] : content;
}

/** The calendar once more, as a file, for mail programs that show no invitations; raw MIME has its own where it wants one. */
function invitationFile({ parts }: Message): readonly Attachment[] {
  if (parts === null || parts.calendar === null) return [];
  const { filename, content } = parts.calendar;
  return [
    {
      filename: filename ?? "invite.ics",
      contentType: "application/ics",
      content: Buffer.from(content),
      cid: null,
      disposition: "attachment",
    },
  ];
}

function apiAttachment({ filename, contentType, content, cid, disposition }: Attachment, index: number): ApiAttachment {
  const type = contentType?.split(";")[0]?.trim() ?? "";
  return {
    content: content.toString("base64"),
    filename: filenameOf(filename) ?? `attachment-${index + 1}`,
    ...(type !== "" && { type }),
    disposition,
    ...(cid !== null && { content_id: cid }),
  };
}

/** The API requires a name and refuses `;` and `,` in it. */
function filenameOf(filename: string | null): string | null {
  return filename === null || filename === "" ? null : filename.replaceAll(/[;,\r\n]/g, "_");
}

/** The API refuses categories that are not ASCII, that come twice or that are too many: those have none. */
function categoriesOf(tags: readonly string[]): readonly string[] {
  const ascii = tags.filter((tag) => tag !== "" && isAscii(tag)).map((tag) => tag.slice(0, MAX_CATEGORY_LENGTH));
  return [...new Set(ascii)].slice(0, MAX_CATEGORIES);
}

/** Why the API does not send as this From, or null when it can. Its local part must be ASCII; the domain is converted. */
export function declinesFrom(from: Mailbox, settings: Pick<MappingSettings, "from">): string | null {
  const { address } = mapFrom(settings.from, from) ?? from;
  return isAscii(address.slice(0, address.lastIndexOf("@")))
    ? null
    : `SendGrid sends as no From address with characters beyond ASCII: ${address}`;
}

/** Why the API cannot carry these parts unchanged, or null when it can. */
export function declinesParts(parts: MessageParts): string | null {
  const repeated = repeatedHeader(parts.headers);
  if (repeated !== null) return `SendGrid takes each header once, and ${repeated} comes twice`;
  for (const { filename, contentType, content, cid } of parts.attachments) {
    const name = filename ?? contentType ?? "one without a name";
    if (content.length === 0) return `SendGrid refuses empty attachments: ${name}`;
    // RFC 2046 5.2.1 forbids base64 for these, and SendGrid encodes every attachment so.
    if (/^message\//i.test(contentType ?? "")) return `SendGrid cannot attach a message unchanged: ${name}`;
    if (cid !== null && /[;,\s]/.test(cid)) return `SendGrid refuses the Content-ID of the attachment ${name}`;
  }
  return null;
}
