import type { DeliveryRecord } from "../core/index.ts";
import type { Mailbox } from "../core/message.ts";
import { addressKey } from "./mailbox.ts";
import { excerpt } from "./report-line.ts";
import { mailboxField, multipart, textField } from "./report-mime.ts";
import { headerOf, isAutomatic, subjectOf } from "./report-original.ts";
import type { ReportedMessage } from "./report-original.ts";
import { deliveryStatus, mailDate, reportText } from "./report-parts.ts";
import { failedRecipients } from "./report-recipient.ts";
import type { MessageInput } from "./schema.ts";

export type ReportRequest = {
  readonly original: ReportedMessage;
  /** What became of it, at its end. */
  readonly record: DeliveryRecord;
  /** Host name of this gateway. */
  readonly reportingMta: string;
  /** Who the report is from: an address that the providers may send as. */
  readonly from: Mailbox;
  readonly now: Date;
};

/** The data of a job. Its null sender keeps it from ever being reported on in its turn (RFC 5321 6.1). */
export type ReportJob = Pick<MessageInput, "class" | "tags" | "metadata"> & {
  readonly raw: string;
  readonly envelope: { readonly from: ""; readonly to: string[] };
};

const maxSubjectLength = 100;

/**
 * Makes the report of RFC 3464 to the envelope sender about the recipients that were refused or given up, as a message
 * for the same queue. Null where none is due: all were reached or the end is not there yet; the sender is null or this
 * gateway; or the message is an automatic one, so that machines do not write to each other without end.
 */
export function composeReport({ original, record, reportingMta, from, now }: ReportRequest): ReportJob | null {
  const { mailFrom } = original.envelope;
  if (mailFrom === "" || addressKey(mailFrom) === addressKey(from.address) || isAutomatic(original.mime)) return null;
  const failed = failedRecipients(record);
  if (failed.length === 0) return null;

  const { boundary, body } = multipart([
    {
      type: "text/plain",
      description: "What happened",
      content: Buffer.from(reportText(original, failed, record.recipients.length)),
    },
    {
      type: "message/delivery-status",
      description: "Delivery report",
      content: Buffer.from(deliveryStatus(original, failed, reportingMta)),
    },
    { type: "text/rfc822-headers", description: "Header of the message", content: headerOf(original.mime) },
  ]);
  const header = [
    mailboxField("From", from),
    mailboxField("To", { name: null, address: mailFrom }),
    textField("Subject", reportSubject(original)),
    `Date: ${mailDate(now)}`,
    "Auto-Submitted: auto-replied",
    `In-Reply-To: ${original.messageId}`,
    `References: ${original.messageId}`,
    "MIME-Version: 1.0",
    `Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="${boundary}"`,
  ];
  return {
    raw: `${header.join("\r\n")}\r\n\r\n${body}`,
    envelope: { from: "", to: [mailFrom] },
    class: "transactional",
    tags: ["delivery-report"],
    metadata: { reportOf: original.id },
  };
}

function reportSubject({ mime }: ReportedMessage): string {
  const subject = excerpt(subjectOf(mime), maxSubjectLength);
  return subject === "" ? "Undelivered mail" : `Undelivered: ${subject}`;
}
