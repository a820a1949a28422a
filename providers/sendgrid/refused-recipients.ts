import { classify } from "../../src/core/index.ts";
import type { Refusal, Rule } from "../../src/core/index.ts";
import { addressKey } from "./addressing.ts";
import type { FailedRequest } from "./evidence.ts";
import type { MailBody } from "./mapping.ts";

const FIELD = /^personalizations\.(\d+)\.(to|cc|bcc)\.(\d+)(?:\.email)?$/;

/**
 * The recipients a refused request names as its only fault. The API refuses a whole request for one bad address; without
 * those the rest can be sent. Empty where anything else is wrong too, or where the rules see it as something else.
 */
export function refusedRecipients(
  rules: readonly Rule[],
  { evidence, errors }: FailedRequest,
  body: MailBody,
  recipients: readonly string[],
): readonly Refusal[] {
  const refusals: Refusal[] = [];
  for (const { message, field } of errors) {
    const recipient = field === null ? undefined : recipientAt(field, body, recipients);
    if (field === null || recipient === undefined) return [];
    const failure = classify(rules, { ...evidence, text: `HTTP ${evidence.httpStatus}: ${message}`, field });
    if (failure.scope !== "recipient") return [];
    if (!refusals.some((refusal) => refusal.recipient === recipient)) refusals.push({ recipient, failure });
  }
  return refusals;
}

function recipientAt(field: string, body: MailBody, recipients: readonly string[]): string | undefined {
  const [, personalization, list, index] = FIELD.exec(field) ?? [];
  if (list !== "to" && list !== "cc" && list !== "bcc") return undefined;
  const email = body.personalizations[Number(personalization)]?.[list]?.[Number(index)]?.email;
  return email === undefined ? undefined : recipients.find((recipient) => addressKey(recipient) === addressKey(email));
}
