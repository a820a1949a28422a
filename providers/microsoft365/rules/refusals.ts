import type { Rule } from "../../../src/core/index.ts";

const ndr = "Learn, Email non-delivery reports and SMTP errors in Exchange Online (2026-01-07)";

const grantSendAs =
  "Exchange Online PowerShell: Add-RecipientPermission -Identity {From mailbox} -Trustee {mailbox} -AccessRights SendAs -Confirm:$false; the trustee is the mailbox that logs in, not the app. Or map From to {mailbox}";
const dkim =
  "Publish SPF and DKIM for the From domain: Exchange Online PowerShell: Get-DkimSigningConfig -Identity {domain}; then Set-DkimSigningConfig -Identity {domain} -Enabled $true";

/** What Exchange Online refuses: a sender, an account, a recipient or a message. */
export const refusalRules: readonly Rule[] = [
  // Sender
  {
    id: "send-as-denied-exchange",
    when: { text: /SendAsDenied|permissions? to send as this sender|not allowed to send as|\b5\.7\.60\b/i },
    cause: "sender",
    meaning: "the mailbox that logged in may not send as this From; a wrong outer code such as 5.3.4 means nothing",
    remedy: grantSendAs,
    source: `${ndr}: 5.7.60; threads nodemailer/nodemailer#748, wking/rss2email#147, Notifuse/notifuse#250`,
  },
  {
    id: "unregistered-domain",
    when: { status: "5.7.750" },
    cause: "sender",
    meaning: "the tenant sends too much mail from domains it has not registered",
    remedy: "Microsoft 365 admin centre > Settings > Domains > Add domain: register the From domain.",
    source: `${ndr}: 5.7.750`,
  },
  {
    id: "from-header-missing",
    when: { status: "5.7.512" },
    cause: "content",
    meaning: "the message has no valid From header (RFC 5322 3.6.2)",
    source: `${ndr}: 5.7.512`,
  },
  {
    id: "domain-not-authenticated",
    when: { status: ["5.7.23", "5.7.509", "5.7.515"] },
    cause: "sender",
    meaning: "SPF, DKIM or DMARC of the From domain do not cover this mail",
    remedy: dkim,
    source: `${ndr}: 5.7.23, 5.7.509; thread sisimai/go-sisimai#150: 5.7.515`,
  },

  // Reputation
  {
    id: "restricted-user",
    when: { status: "5.1.8" },
    cause: "reputation",
    meaning: "the mailbox is restricted for sending spam; an administrator has to let it send again",
    remedy:
      "Secure the account first. Microsoft Defender portal > Email & collaboration > Review > Restricted entities, or Exchange Online PowerShell: Remove-BlockedSenderAddress -SenderAddress {mailbox}",
    source: `${ndr}: 5.1.8`,
  },
  {
    id: "banned-sender",
    when: { status: "5.7.501-503" },
    cause: "reputation",
    meaning: "Microsoft has banned this sender for abuse",
    remedy:
      "Microsoft Defender portal > Email & collaboration > Review > Restricted entities; then a support request in the Microsoft 365 admin centre > Support.",
    source: `${ndr}: 5.7.501, 5.7.502, 5.7.503`,
  },
  {
    id: "tenant-blocked",
    when: { status: ["5.7.703", "5.7.705", "5.7.708"] },
    cause: "reputation",
    meaning: "Microsoft blocks outgoing mail of the tenant: a threshold, a low reputation, or a tenant block list",
    remedy:
      "Microsoft 365 admin centre > Support > New service request names the cause; check compromised accounts: Get-BlockedSenderAddress",
    source: `${ndr}: 5.7.703, 5.7.705, 5.7.708`,
  },
  {
    id: "banned-address",
    when: { status: ["5.7.511", "5.7.606-649"] },
    cause: "reputation",
    meaning: "Microsoft has banned the network address this gateway sends from",
    remedy: "Ask to be taken off at https://sender.office.com (for 5.7.511 write to delist@microsoft.com).",
    source: `${ndr}: 5.7.511, 5.7.606-649`,
  },
  {
    id: "outbound-spam",
    when: { text: /OutboundSpamException/i },
    cause: "reputation",
    meaning: "the account's outgoing mail is taken for spam",
    remedy: "Sign in at https://outlook.live.com and confirm the account; or use a Microsoft 365 mailbox.",
    source: "replies of Outlook.com as seen in public threads (2026-11-24)",
  },

  // Recipient
  {
    id: "recipient-not-found",
    when: { text: /RESOLVER\.ADR\.\w*RecipNotFound|RESOLVER\.ADR\.\w*RecipientNotFound/i },
    cause: "recipient",
    meaning: "the recipient does not exist in its organisation",
    source: `${ndr}: 5.1.1, 5.1.10`,
  },
  {
    id: "recipient-denied",
    when: { stage: ["rcpt", "data", "reply"], status: "5.7.504-505" },
    cause: "recipient",
    meaning: "the recipient's organisation does not take mail for this address",
    source: `${ndr}: 5.7.504, 5.7.505`,
  },
  {
    id: "recipient-restricted",
    when: { stage: ["rcpt", "data", "reply"], status: ["5.7.12", "5.7.124", "5.7.133-134", "5.7.136"] },
    cause: "recipient",
    meaning: "the recipient takes mail of its own organisation, or of a list of senders, only",
    source: `${ndr}: 5.7.12, 5.7.124, 5.7.133, 5.7.134, 5.7.136`,
  },

  // Message
  {
    id: "message-over-mailbox-limit",
    when: { text: /MaxSubmissionExceeded|MessageSubmissionExceeded/i },
    cause: "size",
    meaning:
      "the message is larger than this mailbox may send (35 MB unless set otherwise; EHLO says 150 MB all the same)",
    remedy: "Exchange Online PowerShell: Set-Mailbox -Identity {mailbox} -MaxSendSize 150MB",
    source: "Learn, Exchange Online limits: message size; thread MicrosoftDocs/OfficeDocs-O365ServiceDescriptions#264",
  },
  {
    id: "message-over-recipient-limit",
    when: { text: /RecipSizeLimit/i },
    cause: "size",
    meaning: "the message is larger than the recipient may receive",
    source: `${ndr}: 5.2.3`,
  },
  {
    id: "bare-line-feeds",
    when: { status: "5.6.11" },
    cause: "content",
    elsewhere: true,
    meaning: "the message holds line feeds without carriage returns",
    source: `${ndr}: 5.6.11`,
  },
];
