import { randomBytes } from "node:crypto";

/** The front end that answers at sign-in, and the mailbox server that answers to content. */
const FRONT_END = "TYAPR01CA0229";
const MAILBOX_SERVER = "TYCPR01MB5678.jpnprd01.prod.outlook.com";

/** Front-end replies end in their server, the time and a number; those to content in the mailbox server. */
const front = (text: string, now: number): string =>
  `${text} [${FRONT_END}.jpnprd01.prod.outlook.com ${new Date(now).toISOString()} 08DE${randomBytes(6).toString("hex").toUpperCase()}]`;
const store = (text: string): string => `${text} [Hostname=${MAILBOX_SERVER}]`;

const failed = (exception: string, message: string): string =>
  `STOREDRV.Submission.Exception:${exception}; Failed to process message due to a permanent exception with message [BeginDiagnosticData]${message} 0.35250:1F009983, 1.36674:0A000000, 1.61250:00000000[EndDiagnosticData]`;

/**
 * Replies of Exchange Online, as seen in public logs and on Learn ("Email non-delivery reports and SMTP errors in
 * Exchange Online", "Improvements in SMTP AUTH client submission", "Continuous error throttling for SMTP AUTH").
 */
export const exchangeReplies = {
  greeting: (now: number) =>
    front(
      `220 ${FRONT_END}.outlook.office365.com Microsoft ESMTP MAIL Service ready at ${new Date(now).toUTCString()}`,
      now,
    ),
  helloLine: `${FRONT_END}.outlook.office365.com Hello [127.0.0.1]`,
  unknownMechanism: (now: number) => front("504 5.7.4 Unrecognized authentication type", now),
  badCredentials: (now: number) => front("535 5.7.3 Authentication unsuccessful", now),
  basicAuthDisabled: (now: number) =>
    front("535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", now),
  basicAuthRetired: (now: number) =>
    front("550 5.7.30 Basic authentication is not supported for Client Submission.", now),
  smtpAuthDisabled: (whose: "Tenant" | "Mailbox", now: number) =>
    front(
      `535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the ${whose}. Visit https://aka.ms/smtp_auth_disabled for more information.`,
      now,
    ),
  startTlsRequired: (now: number) => front("451 5.7.3 STARTTLS is required to send mail", now),
  notAuthenticated: (now: number) => front("530 5.7.57 Client not authenticated to send mail.", now),
  recipientNotFound: (address: string) =>
    store(`550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient ${address} not found by SMTP address lookup`),
  tooManyRecipients: (now: number) => front("452 4.5.3 Too many recipients", now),
  tooLarge: () => store("552 5.3.4 Message size exceeds fixed maximum size"),
  tooManyConnections: () =>
    store(
      "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information.",
    ),
  overRate: () => store("432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded"),
  quotaUsedUp: () =>
    store(
      `554 5.2.0 ${failed("SubmissionQuotaExceededException", "The message can't be submitted because the sender's submission quota was exceeded.")}`,
    ),
  mailboxFull: () =>
    store(
      `554 5.2.2 mailbox full; ${failed("QuotaExceededException.MapiExceptionShutoffQuotaExceeded", "Cannot submit message.")}`,
    ),
  sendAsDenied: (mailbox: string, sender: string) =>
    store(
      `554 5.2.252 SendAsDenied; ${mailbox} not allowed to send as ${sender}; ${failed("SendAsDeniedException.MapiExceptionSendAsDenied", "Cannot submit message.")}`,
    ),
  blocked: (status: "5.2.251" | "5.2.252", what: string) =>
    store(`550 ${status} Sender throttled due to continuous ${what} errors.`),
  accepted: (messageId: string) => store(`250 2.0.0 OK ${messageId}`),
  /** The Message-ID of a message that came without one. */
  newMessageId: () => `<${randomBytes(12).toString("hex").toUpperCase()}@${MAILBOX_SERVER}>`,
} as const;
