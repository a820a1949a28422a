import { arrayOf, isObject } from "./json-value.ts";
import type { JsonObject } from "./json-value.ts";
import { fieldError } from "./sendgrid-errors.ts";
import type { SendGridError } from "./sendgrid-errors.ts";

const MAX_RECIPIENTS = 1_000;

/** Every recipient of all personalizations. */
export function recipientsOf(mail: JsonObject): readonly string[] {
  return arrayOf(mail["personalizations"]).flatMap((personalization) => addressesOf(personalization));
}

export function emailOf(value: unknown): string | null {
  return isObject(value) && typeof value["email"] === "string" ? value["email"] : null;
}

/** What is wrong with the list of personalizations as a whole. */
export function checkPersonalizations(personalizations: readonly unknown[]): readonly SendGridError[] {
  const about = (message: string): SendGridError => fieldError(message, "personalizations", "-Personalizations-Errors");
  const recipientCount = personalizations.flatMap((personalization) => addressesOf(personalization)).length;
  if (personalizations.length === 0) {
    return [about("The personalizations field is required and must have at least one personalization.")];
  }
  if (personalizations.length > MAX_RECIPIENTS) {
    return [
      about(
        `The personalization block is limited to 1000 personalizations per API request. You have provided ${personalizations.length} personalizations. Please consider splitting this into multiple requests and resending your request.`,
      ),
    ];
  }
  if (recipientCount > MAX_RECIPIENTS) {
    return [about("There is a limit of 1000 total recipients (to + cc + bcc) per request.")];
  }
  return [];
}

/** What is wrong with the recipients of one personalization. */
export function checkPersonalization(personalization: unknown, index: number): readonly SendGridError[] {
  const path = `personalizations.${index}`;
  const to = isObject(personalization) ? arrayOf(personalization["to"]) : [];
  const errors: SendGridError[] = [];
  if (to.length === 0) {
    errors.push(
      fieldError(
        "The to array is required for all personalization objects, and must have at least one email object with a valid email address.",
        `${path}.to`,
        "message.personalizations.to",
      ),
    );
  }
  const seen = new Set<string>();
  for (const kind of ["to", "cc", "bcc"]) {
    const mailboxes = isObject(personalization) ? arrayOf(personalization[kind]) : [];
    for (const [place, mailbox] of mailboxes.entries()) {
      const email = emailOf(mailbox);
      if (email === null || !isAddress(email)) {
        const field = `${path}.${kind}.${place}.email`;
        errors.push(fieldError("Does not contain a valid address.", field, `message.personalizations.${kind}`));
      } else if (seen.has(email.toLowerCase())) {
        errors.push(
          fieldError(
            `Each email address in the personalization block should be unique between to, cc, and bcc. We found the first duplicate instance of [${email}] in the ${path}.${kind} field.`,
            path,
            "message.recipient-errors",
          ),
        );
      } else {
        seen.add(email.toLowerCase());
      }
    }
  }
  return errors;
}

function addressesOf(personalization: unknown): readonly string[] {
  if (!isObject(personalization)) return [];
  return ["to", "cc", "bcc"]
    .flatMap((kind) => arrayOf(personalization[kind]))
    .map((mailbox) => emailOf(mailbox))
    .filter((email) => email !== null);
}

export function isAddress(email: string): boolean {
  return /^[^@\s<>]+@[^@\s<>]+\.[^@\s<>.]+$/.test(email);
}
