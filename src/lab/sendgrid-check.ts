import { arrayOf, isObject } from "./json-value.ts";
import type { JsonObject } from "./json-value.ts";
import { checkAttachment, checkContent } from "./sendgrid-content.ts";
import { fieldError, plainError } from "./sendgrid-errors.ts";
import type { SendGridError } from "./sendgrid-errors.ts";
import { checkPersonalization, checkPersonalizations, emailOf, isAddress } from "./sendgrid-recipients.ts";

/** Header fields an app may not set (OpenAPI of mail/send, `headers`). */
const RESERVED_HEADERS = new Set([
  "x-sg-id",
  "x-sg-eid",
  "received",
  "dkim-signature",
  "content-type",
  "content-transfer-encoding",
  "to",
  "from",
  "subject",
  "reply-to",
  "cc",
  "bcc",
]);

const MEMBERS = new Set([
  "personalizations",
  "from",
  "reply_to",
  "reply_to_list",
  "subject",
  "content",
  "attachments",
  "template_id",
  "headers",
  "categories",
  "custom_args",
  "send_at",
  "batch_id",
  "asm",
  "ip_pool_name",
  "mail_settings",
  "tracking_settings",
]);

const MAX_CUSTOM_ARGS_BYTES = 10_000;
const MAX_CATEGORIES = 10;

/** What is wrong with a request to mail/send, as SendGrid says it; empty where nothing is. */
export function checkMail(mail: unknown): readonly SendGridError[] {
  if (!isObject(mail)) return [plainError("Bad Request")];
  const personalizations = arrayOf(mail["personalizations"]);
  return [
    ...unknownMembers(mail),
    ...checkPersonalizations(personalizations),
    ...personalizations.flatMap((personalization, index) => checkPersonalization(personalization, index)),
    ...checkFrom(mail["from"]),
    ...checkReplyTo(mail),
    ...checkSubject(mail, personalizations),
    ...checkContent(mail),
    ...arrayOf(mail["attachments"]).flatMap((attachment, index) => checkAttachment(attachment, index)),
    ...[mail, ...personalizations].flatMap((holder) => [...checkHeaders(holder), ...checkCustomArgs(holder)]),
    ...checkCategories(mail["categories"]),
  ];
}

function unknownMembers(mail: JsonObject): readonly SendGridError[] {
  return Object.keys(mail)
    .filter((member) => !MEMBERS.has(member))
    .map((member) => plainError(`Additional property ${member} is not allowed`, member));
}

function checkFrom(from: unknown): readonly SendGridError[] {
  if (!isObject(from) || from["email"] === undefined) {
    return [
      fieldError(
        'The from object must be provided for every email send. It is an object that requires the email parameter, but may also contain a name parameter.  e.g. {"email" : "example@example.com"}  or {"email" : "example@example.com", "name" : "Example Recipient"}.',
        "from.email",
        "message.from",
      ),
    ];
  }
  // Unicode is not supported in the from address (docs, "Mail Send: limitations").
  const email = emailOf(from);
  if (email !== null && isAddress(email) && !/[^\u0020-\u007e]/.test(email)) return [];
  return [fieldError("Does not contain a valid address.", "from.email", "message.from")];
}

function checkReplyTo(mail: JsonObject): readonly SendGridError[] {
  const list = arrayOf(mail["reply_to_list"]);
  if (mail["reply_to"] !== undefined && list.length > 0) {
    return [
      fieldError("Only one of reply_to and reply_to_list may be used.", "reply_to_list", "message.reply_to_list"),
    ];
  }
  const mailboxes: readonly (readonly [field: string, mailbox: unknown])[] = [
    ...(mail["reply_to"] === undefined ? [] : [["reply_to.email", mail["reply_to"]] as const]),
    ...list.map((mailbox, place) => [`reply_to_list.${place}.email`, mailbox] as const),
  ];
  return mailboxes
    .filter(([, mailbox]) => !isAddress(emailOf(mailbox) ?? ""))
    .map(([field]) => fieldError("Does not contain a valid address.", field, "message.reply_to"));
}

function checkSubject(mail: JsonObject, personalizations: readonly unknown[]): readonly SendGridError[] {
  const isSubject = (value: unknown): boolean => typeof value === "string" && value !== "";
  const everywhere =
    personalizations.length > 0 && personalizations.every((each) => isObject(each) && isSubject(each["subject"]));
  if (isSubject(mail["subject"]) || everywhere || mail["template_id"] !== undefined) return [];
  return [
    fieldError(
      "The subject is required. You can get around this requirement if you use a template with a subject defined or if every personalization has a subject defined.",
      "subject",
      "message.subject",
    ),
  ];
}

function checkHeaders(holder: unknown): readonly SendGridError[] {
  const headers = isObject(holder) ? holder["headers"] : undefined;
  if (headers === undefined) return [];
  if (!isObject(headers)) return [expectedObject(headers, "headers")];
  if (Object.values(headers).some((value) => typeof value !== "string")) return [plainError("Bad Request")];
  return Object.keys(headers)
    .filter((name) => RESERVED_HEADERS.has(name.toLowerCase()))
    .map((name) => fieldError(`The header ${name} is reserved and may not be used.`, "headers", "message.headers"));
}

function checkCustomArgs(holder: unknown): readonly SendGridError[] {
  const args = isObject(holder) ? holder["custom_args"] : undefined;
  if (args === undefined) return [];
  if (!isObject(args)) return [expectedObject(args, "custom_args")];
  // Seen in sendgrid/sendgrid-nodejs#288: values that are no strings are a bare Bad Request.
  if (Object.values(args).some((value) => typeof value !== "string")) return [plainError("Bad Request")];
  if (Buffer.byteLength(JSON.stringify(args)) <= MAX_CUSTOM_ARGS_BYTES) return [];
  return [
    fieldError("The total size of custom_args may not exceed 10000 bytes.", "custom_args", "message.custom_args"),
  ];
}

function checkCategories(categories: unknown): readonly SendGridError[] {
  const about = (message: string): SendGridError => fieldError(message, "categories", "message.categories");
  const names = arrayOf(categories);
  if (names.length > MAX_CATEGORIES) return [about("You cannot have more than 10 categories per request.")];
  if (new Set(names).size < names.length) return [about("Each category must be unique.")];
  if (names.some((name) => typeof name !== "string" || name.length > 255)) {
    return [about("A category may not be longer than 255 characters.")];
  }
  return [];
}

function expectedObject(value: unknown, field: string): SendGridError {
  const given = Array.isArray(value) ? "array" : value === null ? "null" : typeof value;
  return fieldError(`Invalid type. Expected: object, given: ${given}.`, field, `message.${field}`);
}
