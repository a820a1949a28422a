import { asciiDomain } from "./mailbox.ts";
import { adviceFor } from "./report-advice.ts";
import { asciiOnly, excerpt, headerField, paragraph, typedAddress } from "./report-line.ts";
import { subjectOf } from "./report-original.ts";
import type { ReportedMessage } from "./report-original.ts";
import type { FailedRecipient } from "./report-recipient.ts";

/** The first part, for people: who was not reached, what the provider said, and what to do. */
export function reportText(
  original: ReportedMessage,
  failed: readonly FailedRecipient[],
  recipientCount: number,
): string {
  const all = failed.length === recipientCount;
  const whom = `${all ? "any" : failed.length} of its ${recipientCount} recipients`;
  const subject = subjectOf(original.mime);
  const facts = [
    ...(subject === "" ? [] : [`Subject: ${excerpt(subject)}`]),
    `Date: ${mailDate(original.date)}`,
    `Message-ID: ${original.messageId}`,
  ];
  const blocks = [
    `Your message could not be delivered to ${recipientCount === 1 ? "its recipient" : whom}.`,
    facts.map((fact) => paragraph(fact, "    ")).join("\r\n"),
    ...failed.map(recipientText),
    ...(all ? [] : ["The other recipients are not affected: do not send it to them again."]),
  ];
  return `${blocks.join("\r\n\r\n")}\r\n`;
}

function recipientText(recipient: FailedRecipient): string {
  const { provider, mayHaveArrived } = recipient;
  const reason = excerpt(recipient.reason);
  const lines = [
    provider === null ? `It was given up: ${reason}` : `${provider} refused it: ${reason}`,
    ...(mayHaveArrived ? ["The answer to one attempt was lost, so it may have arrived all the same."] : []),
    adviceFor(recipient.status),
  ];
  return [paragraph(recipient.address, ""), ...lines.map((line) => paragraph(line, "    "))].join("\r\n");
}

/** The second part, for machines: fields about the message, and a group of fields for each recipient (RFC 3464 2). */
export function deliveryStatus(
  original: ReportedMessage,
  failed: readonly FailedRecipient[],
  reportingMta: string,
): string {
  const message = [
    headerField("Reporting-MTA", `dns; ${asciiDomain(reportingMta)}`),
    headerField("X-Mailover-Id", asciiOnly(original.id)),
    headerField("Arrival-Date", mailDate(original.date)),
  ];
  return [message, ...failed.map(recipientFields)].map((fields) => `${fields.join("\r\n")}\r\n`).join("\r\n");
}

/** There is no Remote-MTA: which host of a provider answered is not kept, so its name stands in a field of our own. */
function recipientFields({ address, status, provider, diagnostic, isSmtp, lastAttemptAt }: FailedRecipient): string[] {
  const text = asciiOnly(excerpt(diagnostic));
  return [
    headerField("Final-Recipient", typedAddress(address)),
    "Action: failed",
    headerField("Status", status),
    ...(text === "" ? [] : [headerField("Diagnostic-Code", `${isSmtp ? "smtp" : "x-mailover"}; ${text}`)]),
    ...(lastAttemptAt === null ? [] : [headerField("Last-Attempt-Date", mailDate(lastAttemptAt))]),
    ...(provider === null ? [] : [headerField("X-Mailover-Provider", asciiOnly(provider))]),
  ];
}

/** A date-time of RFC 5322 3.3, in UTC. */
export function mailDate(date: Date): string {
  return date.toUTCString().replace("GMT", "+0000");
}
