import type { Rule } from "../../../src/core/index.ts";
import { LATER } from "./codes.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const ses = "Amazon SES Developer Guide, SMTP response codes returned by Amazon SES (read 2026-11-24)";
const gmail = "Google Workspace Admin Help, Gmail SMTP errors and codes (read 2026-11-24)";
const netease = "NetEase Mail, bounce codes (退信代码说明, read 2026-11-24)";

/** Words of services that relay for applications: SendGrid, Amazon SES, Google, Mailgun, Brevo, Zoho. */
export const serviceRules: readonly Rule[] = [
  // smtp.sendgrid.net
  {
    id: "sendgrid-smtp-credits",
    when: { text: /maximum credits exceeded/i },
    cause: "quota",
    retryAfterMs: hourMs,
    meaning: "the SendGrid plan's credits are used up, although the reply looks like a failed login",
    remedy:
      "SendGrid > Settings > Account Details > Your Products: raise the plan; daily credits return at midnight UTC.",
    source: "thread mautic/mautic#8721",
  },
  {
    id: "sendgrid-smtp-limit",
    when: { text: /exceeded your messaging limits/i },
    cause: "quota",
    retryAfterMs: hourMs,
    meaning: "the SendGrid account's messaging limit is reached",
    remedy: "SendGrid > Settings > Account Details > Your Products: raise the plan.",
    source: "thread WA-WF-Bot/WA-WF-Bot-Public#282",
  },
  {
    id: "sendgrid-smtp-not-authenticated",
    when: { replyCode: 451, text: /authentication failed: could not authenticate/i },
    cause: "auth",
    meaning: "SendGrid does not let this login in, most often because of its list of allowed addresses",
    remedy: "SendGrid > Settings > IP Access Management: add the address this gateway sends from.",
    source: "thread sendgrid/docs#2191",
  },
  {
    id: "sendgrid-smtp-key",
    when: { replyCode: 535, text: /bad username ?\/ ?password/i },
    cause: "auth",
    meaning: "the SendGrid key is wrong or deleted, or the user is not the word apikey",
    remedy: "Set user to the word apikey, and password to a key of SendGrid > Settings > API Keys with Mail Send.",
    source: "Twilio SendGrid docs, Integrating with the SMTP API; thread metabase/metabase#12532",
  },
  {
    id: "sendgrid-smtp-unauthenticated",
    when: { text: /unauthenticated senders not allowed/i },
    cause: "auth",
    meaning: "no login was made, and SendGrid takes mail of known accounts only",
    remedy: "Set user to the word apikey, and password to a key of SendGrid > Settings > API Keys.",
    source: "threads sendgrid/docs#6473, Billionmail/BillionMail#171",
  },
  {
    id: "sendgrid-smtp-sender-identity",
    when: { text: /does not match a verified sender identity|not authorized to send from that email address/i },
    cause: "sender",
    meaning: "SendGrid sends only for addresses and domains that were verified there",
    remedy: "SendGrid > Settings > Sender Authentication: authenticate the domain, or map From to one that is.",
    source: "Twilio SendGrid docs, SMTP Errors and Troubleshooting; Sender Identity (read 2026-11-24)",
  },

  // Amazon SES
  {
    id: "ses-rate",
    when: { text: /throttling failure: maximum sending rate/i },
    cause: "throttled",
    retryAfterMs: 5_000,
    meaning: "the account's messages a second are used up",
    source: `${ses}: first retry after 5 seconds`,
  },
  {
    id: "ses-daily-quota",
    when: { text: /throttling failure: daily message quota/i },
    cause: "quota",
    retryAfterMs: hourMs,
    meaning: "the account's messages a day are used up; they return over the following 24 hours",
    remedy: "Amazon SES console > Account dashboard > Request production access, or Service Quotas for a higher quota.",
    source: ses,
  },
  {
    id: "ses-identity-not-verified",
    when: { text: /email address is not verified/i },
    cause: "sender",
    meaning: "SES does not know this From as verified; in its sandbox the recipients have to be verified too",
    remedy: "Amazon SES console > Identities > Create identity; and Account dashboard > Request production access.",
    source: ses,
  },
  {
    id: "ses-paused",
    when: {
      text: /sending (is )?(paused|suspended|disabled) for this account|account .{0,40}(is paused|under review)/i,
    },
    cause: "reputation",
    meaning: "the provider has paused the account's sending, after bounces or complaints",
    remedy: "Amazon SES console > Reputation metrics, then answer the open case in the Support Center.",
    source: "Amazon SES Developer Guide, Amazon SES email sending errors (read 2026-11-24)",
  },
  {
    id: "ses-access-denied",
    when: { text: /access denied: user .{0,120} is not authorized/i },
    cause: "auth",
    meaning: "the SMTP credentials lack the right ses:SendRawEmail for this identity",
    remedy: "AWS console > IAM > Users > {SMTP user} > Permissions: allow ses:SendRawEmail on the identity.",
    source: ses,
  },

  // Gmail and Google Workspace: its replies break lines anywhere, and each line repeats the codes
  {
    id: "gmail-unusual-rate",
    when: { text: /unusual rate of/i, replyCode: LATER },
    cause: "throttled",
    retryAfterMs: 15 * minuteMs,
    meaning: "Google limits mail from this address or domain because of its volume",
    source: gmail,
  },
  {
    id: "login-rate",
    when: { text: /too many login attempts|too (many|much) (failed |fail )?auth|auth error limit exceed/i },
    cause: "throttled",
    retryAfterMs: 10 * minuteMs,
    meaning: "too many logins in a short time; the credentials may well be right",
    source: `${gmail}; ${netease}; thread balderdashy/sails-hook-email#39`,
  },
  {
    id: "gmail-daily-quota",
    when: { text: /daily (user )?(sending|smtp relay) .{0,20}(quota|limit)/i },
    cause: "quota",
    retryAfterMs: hourMs,
    meaning: "the account's messages a day are used up; they return within 24 hours",
    remedy: "Google Admin console > Apps > Google Workspace > Gmail > Routing > SMTP relay service has higher limits.",
    source: gmail,
  },
  {
    id: "gmail-relay-peak",
    when: { text: /peak smtp relay limit/i },
    cause: "throttled",
    retryAfterMs: 10 * minuteMs,
    meaning: "the customer's relay limit for a short time is used up",
    source: gmail,
  },
  {
    id: "gmail-app-password",
    when: { text: /application-specific password required/i },
    cause: "auth",
    meaning: "the account uses two-step verification, and its own password does not work for SMTP",
    remedy: "Google Account > Security > 2-Step Verification > App passwords: make one and use it as password.",
    source: gmail,
  },
  {
    id: "gmail-web-login",
    when: { text: /log in (via|with)[\s\S]{1,14}your web browser/i },
    cause: "auth",
    meaning: "Google wants the account's owner to confirm the login in a browser",
    remedy: "Log in once in a browser as this user at https://accounts.google.com, then use an app password.",
    source: gmail,
  },
  {
    id: "gmail-recipient-rate",
    when: { text: /receiving e?-?mail[\s\S]{1,14}(too quickly|at a rate)/i },
    cause: "busy",
    scope: "recipient",
    meaning: "this recipient is getting too much mail just now",
    source: gmail,
  },
  {
    id: "gmail-attachment-type",
    when: { text: /potential[\s\S]{1,14}security issue/i },
    cause: "content",
    elsewhere: true,
    meaning: "the message holds a type of attachment that Google does not take",
    source: gmail,
  },
  {
    id: "gmail-ip-not-authorized",
    when: { text: /not authorized to[\s\S]{1,14}send[\s\S]{1,20}directly/i },
    cause: "reputation",
    meaning: "Google takes no mail directly from this network address",
    remedy: "Relay through a provider instead of sending to Google's servers directly.",
    source: gmail,
  },

  // Mailgun, Brevo, Zoho, qmail-based and other hosts
  {
    id: "mailgun-not-activated",
    when: { text: /is not allowed to send: please activate/i },
    cause: "auth",
    meaning: "the Mailgun account or its sandbox domain is not activated, although the code says later",
    remedy: "Mailgun > Dashboard: activate the account by the mail it sent, and add a domain of your own.",
    source: "Mailgun's reply as seen in public logs (2026-11-24)",
  },
  {
    id: "domain-not-associated",
    when: { text: /domain is not associated with your account|sending from domain .{0,80}is not allowed/i },
    cause: "sender",
    meaning: "the provider does not know this From domain as the account's own",
    remedy: "Add and verify the domain at the provider (senders and domains), or map From to one that is.",
    source: "thread overleaf/overleaf#1290; replies of Brevo, Mailjet and Plunk as seen in public logs (2026-11-24)",
  },
  {
    id: "zoho-relaying-as",
    when: { text: /relaying disallowed as/i },
    cause: "sender",
    meaning: "the From is not an address or alias of the account that logged in",
    remedy: "Zoho Mail > Settings > Send mail as: add the From address, or log in as its own account.",
    source: "Zoho ZeptoMail Help, SMTP error codes (read 2026-11-24)",
  },
  {
    id: "zoho-unusual-activity",
    when: { text: /unusual sending activity|sender address blocked/i },
    cause: "reputation",
    meaning: "Zoho has blocked the account's outgoing mail after unusual activity",
    remedy: "Zoho Mail > https://mail.zoho.com/UnblockMe unblocks it; a second block lasts longer.",
    source: "help.zoho.com, community threads on 550 5.4.6 and 554 5.1.8 (read 2026-11-24)",
  },
  {
    id: "hourly-limit",
    when: { text: /exceeded the max (e?-?mails|defers and failures) per hour/i },
    cause: "throttled",
    retryAfterMs: hourMs,
    meaning: "the hosting account's mails an hour are used up",
    source:
      "thiswebhost.com, I am receiving an error sending e-mail (read 2026-11-24); cPanel: Max hourly emails per domain",
  },
];
