import type { Rule } from "../../../src/core/index.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const ndr = "Learn, Email non-delivery reports and SMTP errors in Exchange Online (2026-01-07)";
const throttling = "Learn, Continuous error throttling for SMTP AUTH submissions (read 2026-11-24)";
const concurrency = "Learn, Changes in message store and throttling for concurrent connections (read 2026-11-24)";

/**
 * A mailbox that goes on sending what Exchange refuses is blocked for a time that Microsoft does not tell, about a day in
 * one report, and support cannot lift it. Six hours between tries do not feed the block, and find its end within the life
 * of a message.
 */
const blockedMs = 6 * hourMs;

const ownMailbox =
  "Exchange Online PowerShell: Get-MailboxStatistics -Identity {mailbox} | Format-List TotalItemSize; empty its Sent Items, by a policy for good: Set-Mailbox -Identity {mailbox} -RetentionPolicy {policy}; or raise -ProhibitSendQuota as far as the licence goes";

/** Outages, limits, quotas and blocks of Exchange Online. */
export const limitRules: readonly Rule[] = [
  // Blocked for repeated errors: the text names the error behind it, the code is not always in step with it
  {
    id: "blocked-after-full-mailbox",
    when: { text: /throttled due to continuous .{0,20}full/i },
    cause: "throttled",
    retryAfterMs: blockedMs,
    meaning: "the mailbox is blocked for a time, since it went on sending while its own store was full",
    remedy: ownMailbox,
    source: `${throttling}: 5.2.251`,
  },
  {
    id: "blocked-after-send-as-denied",
    when: { text: /throttled due to continuous send ?as ?denied/i },
    cause: "throttled",
    retryAfterMs: blockedMs,
    meaning: "the mailbox is blocked for a time, since it went on sending as a From it has no right to",
    remedy:
      "Exchange Online PowerShell: Add-RecipientPermission -Identity {From mailbox} -Trustee {mailbox} -AccessRights SendAs; or map From",
    source: `${throttling}: 5.2.252`,
  },
  {
    id: "blocked-after-invalid-license",
    when: { text: /throttled due to continuous .{0,20}licen[cs]e/i },
    cause: "throttled",
    retryAfterMs: blockedMs,
    meaning: "the mailbox is blocked for a time, since it went on sending without a licence",
    remedy:
      "Microsoft 365 admin centre > Users > Active users > {mailbox} > Licenses and apps: assign an Exchange plan.",
    source: `${throttling}: 5.2.253`,
  },
  {
    id: "blocked-after-invalid-recipients",
    when: { text: /throttled due to continuous invalid recipients?/i },
    cause: "throttled",
    retryAfterMs: blockedMs,
    meaning: "the mailbox is blocked for a time, after too much mail to addresses that do not exist",
    remedy:
      "Take the addresses that bounced out of the application's lists; Exchange admin centre > Mail flow > Message trace shows them.",
    source: `${throttling}: 5.2.254, 5.2.255`,
  },
  {
    id: "blocked-after-too-many-recipients",
    when: { text: /throttled due to continuous too many recipients/i },
    cause: "throttled",
    retryAfterMs: blockedMs,
    meaning: "the mailbox is blocked for a time, after messages with more recipients than it may have",
    remedy:
      "Exchange Online PowerShell: Set-Mailbox -Identity {mailbox} -RecipientLimits 1000; or send to fewer at once",
    source: `${throttling}: 5.2.254`,
  },
  {
    id: "blocked-after-errors",
    when: { replyCode: [550, 554], status: "5.2.251-255", text: /throttled/i },
    cause: "throttled",
    retryAfterMs: blockedMs,
    meaning: "the mailbox is blocked for a time because of repeated errors; what they were stands in earlier replies",
    remedy:
      "Look at the earlier replies to this mailbox in Mailover (Message Trace does not show them), mend that, and wait; another mailbox can send meanwhile.",
    source: throttling,
  },

  // Outages
  {
    id: "forest-connections",
    when: { text: /concurrent connections per resource forest/i },
    cause: "outage",
    meaning:
      "Microsoft's own servers are out of connections: it reads like a limit of ours, but fewer connections are no cure",
    source: "Microsoft 365 incident EX1331830 (2026)",
  },
  {
    id: "temporary-server-error",
    when: { text: /temporary server error/i },
    cause: "outage",
    meaning:
      "Exchange's front end cannot reach the servers behind it; also at login, where it is no fault of the credentials",
    source: `${ndr}: 4.7.0 PRX; threads jstedfast/MailKit#566; incident EX1224375 (January 2026)`,
  },
  {
    id: "tls-too-old",
    when: { status: "4.7.66" },
    cause: "outage",
    meaning: "the connection uses TLS 1.0 or 1.1, which Exchange Online no longer takes",
    remedy:
      "Leave minTlsVersion at TLSv1.2; if it is, a proxy on the way speaks for this gateway with an older version.",
    source: "Learn, Opt in to the Exchange Online endpoint for legacy TLS clients using SMTP AUTH (read 2026-11-24)",
  },
  {
    id: "backend-pressure",
    when: { status: ["4.3.1", "4.3.111"] },
    cause: "busy",
    meaning: "Exchange's servers are short of resources",
    source: `${ndr}: 4.3.1, 4.3.111`,
  },

  // Rates
  {
    id: "submission-rate",
    when: { text: /message submission rate for this client/i },
    cause: "throttled",
    retryAfterMs: minuteMs,
    meaning: "more than 30 messages a minute from this mailbox",
    source: "Learn, Exchange Online limits: 30 messages a minute (read 2026-11-24)",
  },
  {
    id: "concurrent-connections",
    when: { text: /concurrent connections limit exceeded|sender thread limit exceeded/i },
    cause: "throttled",
    meaning: "more than 3 connections of this mailbox at once; also after the content, which then was not taken",
    source: `${concurrency}; threads sabuhish/fastapi-mail#75, MicrosoftDocs/OfficeDocs-Support#1991`,
  },
  {
    id: "recipient-threads",
    when: { text: /recipient thread limit exceeded/i },
    cause: "busy",
    scope: "recipient",
    meaning: "the recipient's mailbox is getting too much mail at once",
    source: concurrency,
  },
  {
    id: "recipient-hourly-limit",
    when: { status: "5.2.121-122" },
    cause: "busy",
    scope: "recipient",
    retryAfterMs: hourMs,
    meaning: "the recipient's messages an hour are used up, although the code says never",
    source: `${ndr}: 5.2.121, 5.2.122`,
  },
  {
    id: "ip-rate-limited",
    when: { status: ["4.7.650-651", "4.7.850-899"] },
    cause: "throttled",
    retryAfterMs: 15 * minuteMs,
    meaning: "Microsoft limits this network address because of its reputation",
    remedy: "https://sendersupport.olc.protection.outlook.com/snds shows the address's reputation.",
    source: `${ndr}: 4.7.650, 4.7.651, 4.7.850-899`,
  },
  {
    id: "server-busy",
    when: { status: "4.7.500-699" },
    cause: "throttled",
    retryAfterMs: 5 * minuteMs,
    meaning: "Exchange slows this sender down",
    source: `${ndr}: 4.7.500-699`,
  },
  {
    id: "ipv6-range-limit",
    when: { status: "5.7.508" },
    cause: "throttled",
    retryAfterMs: hourMs,
    meaning: "too much mail from this range of IPv6 addresses",
    source: `${ndr}: 5.7.508`,
  },

  // Quotas
  {
    id: "recipients-a-day",
    when: { text: /Submission ?Quota ?Exceeded|\b5\.1\.90\b/i },
    cause: "quota",
    retryAfterMs: hourMs,
    meaning: "the mailbox's 10,000 recipients in 24 hours are used up; they return bit by bit",
    remedy:
      "Wait, or share the load among mailboxes (a provider each); see who sends: Get-MessageTraceV2 -SenderAddress {mailbox}",
    source: `${ndr}: 5.1.90, 5.2.2; thread MicrosoftDocs/OfficeDocs-Support#1150`,
  },
  {
    id: "tenant-external-recipients",
    when: { status: ["5.7.232-233", "5.7.236"] },
    cause: "quota",
    retryAfterMs: hourMs,
    meaning: "the tenant's external recipients in 24 hours (TERRL) are used up; every mailbox of it has to wait",
    remedy:
      "Exchange admin centre > Reports > Mail flow > Tenant Outbound External Recipients shows use and limit; it grows with the licences. Exchange Online PowerShell: Get-LimitsEnforcementStatus",
    source: `${ndr}: 5.7.232, 5.7.233, 5.7.236; message centre MC1023294`,
  },
  {
    id: "own-mailbox-full",
    when: {
      stage: ["data", "content", "reply"],
      text: /ShutoffQuotaExceeded|QuotaExceededException|^554.{0,8}5\.2\.2 mailbox full/i,
    },
    cause: "quota",
    retryAfterMs: hourMs,
    meaning: "the sending mailbox itself is full (each message is kept in its Sent Items), not the recipient's",
    remedy: ownMailbox,
    source: "Learn, SMTP submission improvements and errors: 554 5.2.2 (read 2026-11-24)",
  },
  {
    id: "consumer-account-tier",
    when: { text: /UserAction verdict is (RefuseQuota|ShowTierUpgrade)/i },
    cause: "quota",
    retryAfterMs: hourMs,
    meaning: "the Outlook.com account's messages a day are used up",
    remedy: "Sign in at https://outlook.live.com > Settings > Premium; or use a Microsoft 365 mailbox.",
    source: "replies of Outlook.com as seen in public threads (2026-11-24)",
  },
];
