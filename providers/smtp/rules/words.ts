import type { Rule } from "../../../src/core/index.ts";
import { LATER, NEVER } from "./codes.ts";

const hourMs = 3_600_000;
const postfix = "Postfix documentation, postconf(5) and SMTPD_ACCESS_README";

/** Words that many servers share, where the code alone is given to different causes. */
export const wordRules: readonly Rule[] = [
  // Our own set-up
  {
    id: "send-as-denied",
    when: { text: /permissions? to send as this sender|not allowed to send as|send ?as ?denied/i },
    cause: "sender",
    meaning: "the user that logged in may not send as this From",
    remedy: "Give the user the right to send as the From address, or map From to the user's own address.",
    source: "Learn, Email non-delivery reports and SMTP errors (read 2026-11-24): 5.7.1, 5.7.60",
  },
  {
    id: "sender-not-owned",
    when: { text: /sender address rejected: not (owned by|logged in)|sender is not (allowed|authorized)/i },
    cause: "sender",
    meaning: "the user that logged in does not own this sender address",
    remedy: "Add the address to the user's at the provider (Postfix: smtpd_sender_login_maps), or map From.",
    source: `${postfix}: reject_sender_login_mismatch`,
  },
  {
    id: "relay-denied",
    when: {
      text: /(unable|not allowed|not permitted) to relay|relay(ing)? (access )?(denied|not (permitted|allowed)|prohibited)|allowed rcpthosts|we do not relay/i,
    },
    cause: "auth",
    meaning: "the server relays only for users who logged in, or for addresses it knows",
    remedy: "Set user and password of this provider, or let the server know this gateway's address as its own network.",
    source: `${postfix}: reject_unauth_destination; qmail-smtpd(8): rcpthosts`,
  },
  {
    // First, since its replies also speak of authentication: that of the sender, which is not a login of ours.
    id: "recipient-takes-no-strangers",
    when: {
      stage: ["rcpt", "data", "reply"],
      text: /RESOLVER\.RST\.(?!\w*Size)|delivery restriction check failed|RESOLVER\.ADR\.\w*(Recip|Recipient)NotFound/i,
    },
    cause: "recipient",
    meaning: "the recipient, behind an Exchange server, does not exist or takes mail of its own organisation only",
    source: "Learn, Email non-delivery reports and SMTP errors (2026-01-07): 5.1.1, 5.7.124, 5.7.133, 5.7.134, 5.7.136",
  },
  {
    id: "login-first",
    when: {
      replyCode: NEVER,
      text: /(need|send|issue|use|must).{0,30}\bauth\b|authentication (is )?required|not authenticated|auth(enticate)? first/i,
    },
    cause: "auth",
    meaning: "the server wants a login before it takes mail",
    remedy: "Set user and password of this provider, and auth to auto.",
    source: "RFC 4954 6; thread of QQ Mail: 503 Error: need EHLO and AUTH first",
  },
  {
    id: "starttls-first",
    when: { text: /must issue a? ?starttls|starttls (is )?required|encryption required/i },
    cause: "auth",
    meaning: "the server wants TLS before it goes on",
    remedy: "Set tls of this provider to required (port 587) or implicit (port 465).",
    source: "RFC 3207 4; RFC 4954 6: 538",
  },
  {
    id: "helo-name-refused",
    when: { replyCode: NEVER, text: /hel[lo]o command rejected|need fully-qualified hostname|invalid hel[lo]o/i },
    cause: "auth",
    meaning: "the server does not like the name this gateway gives at EHLO",
    remedy: "Set name of this provider to this machine's full host name, one that DNS knows.",
    source: `${postfix}: reject_non_fqdn_helo_hostname; thread bitwarden/server#164`,
  },
  {
    id: "client-host-rejected",
    when: { replyCode: NEVER, text: /client host rejected: access denied/i },
    cause: "auth",
    meaning: "the server takes mail of known networks or of users who logged in only",
    remedy: "Set user and password of this provider; hosts such as OCN want SMTP AUTH on port 587.",
    source: `${postfix}: smtpd_client_restrictions`,
  },

  // Reputation
  {
    id: "block-listed",
    when: {
      replyCode: NEVER,
      text: /spamhaus|spamcop|barracuda(central)?|sorbs|dnsbl|\brbl\b|block(ed)? ?list|black ?list|blocked using/i,
    },
    cause: "reputation",
    meaning: "the network address or the domain is on a block list",
    remedy: "Look the address up at the list the reply names, mend the cause, and ask to be taken off.",
    source: `${postfix}: reject_rbl_client; Spamhaus, DNSBL return codes`,
  },
  {
    id: "reverse-name-missing",
    when: { replyCode: NEVER, text: /cannot find your (reverse )?host ?name|\bPTR\b|reverse dns|rdns/i },
    cause: "reputation",
    meaning: "the network address this gateway sends from has no valid reverse name",
    remedy: "Have the network's owner set a PTR record that matches the host's name, or relay through a provider.",
    source: `${postfix}: reject_unknown_client_hostname; RFC 7372: 5.7.25`,
  },
  {
    id: "spam-refused",
    when: {
      stage: ["data", "content", "reply"],
      replyCode: NEVER,
      text: /\bspam\b|unsolicited|content filter|message (was )?(blocked|classified)|considered as junk/i,
    },
    cause: "content",
    elsewhere: true,
    meaning: "the provider's filter takes the message for spam",
    source: "amavisd-new documentation, smtp_reply; SpamAssassin wiki; bytecamp FAQ: 571 5.7.1",
  },
  {
    id: "virus-refused",
    when: { stage: ["data", "content", "reply"], replyCode: NEVER, text: /\bvirus|malware|infected/i },
    cause: "content",
    meaning: "the provider found a virus in the message",
    source: "amavisd-new documentation: 554 5.7.1 INFECTED; ClamAV-milter(8)",
  },

  // Limits
  {
    id: "recipient-receives-too-much",
    when: {
      text: /receiv(e|ing) (mail |message )?(limit|rate|quota)|recipient('s)? .{0,30}(hourly|daily|rate) limit/i,
    },
    cause: "busy",
    scope: "recipient",
    meaning: "this recipient has got as much mail as it may just now",
    source: "Learn, Email non-delivery reports and SMTP errors (2026-01-07): 5.2.121; RFC 3463 3.3",
  },
  {
    id: "daily-limit",
    when: {
      text: /(daily|24.hours?|per day|monthly) .{0,40}(quota|limit|exceeded)|(quota|limit) .{0,30}(per day|daily|for today|24.hours?)|sending (quota|limit)s? .{0,20}(exceeded|reached)|not enough sending quota/i,
    },
    cause: "quota",
    retryAfterMs: hourMs,
    meaning: "the account's messages a day, or of the plan, are used up",
    remedy: "Raise the plan at the provider, or put one with a higher limit first.",
    source: "Emailit docs, SMTP troubleshooting; Alibaba Cloud Direct Mail, return codes (read 2026-11-24)",
  },
  {
    id: "too-many-recipients",
    when: { stage: "rcpt", text: /too many recipients/i },
    cause: "busy",
    scope: "recipient",
    meaning: "no more recipients fit into this transaction; the others of it go out, these follow",
    source: "RFC 5321 4.5.3.1.10: 452, and 552 to be taken as 452",
  },
  {
    id: "too-many-recipients-of-message",
    when: { replyCode: NEVER, text: /too many recipients/i },
    cause: "content",
    elsewhere: true,
    meaning: "the message has more recipients than this provider takes",
    source: "RFC 3463 3.6: 5.5.3",
  },
  {
    id: "rate-limited",
    when: {
      replyCode: LATER,
      text: /too (many|much) (concurrent |simultaneous )?(smtp )?(connections?|messages?|mail|e-?mails?|sessions?|commands?|errors?)|rate ?limit|sending too (fast|many)|frequency limit|thrott?led|throttling|slow down|too frequent|(messages|e-?mails|connections) per (second|minute)/i,
    },
    cause: "throttled",
    retryAfterMs: 60_000,
    meaning: "too many connections or messages in a short time",
    source: `${postfix}: smtpd_client_connection_rate_limit; Amazon SES: 421 Too many concurrent SMTP connections`,
  },

  // Recipients
  {
    id: "greylisted",
    when: {
      stage: ["mail", "rcpt", "data", "reply"],
      replyCode: LATER,
      text: /gr[ea]y-?list|come back later|recipient address rejected/i,
    },
    cause: "busy",
    scope: "recipient",
    meaning: "the recipient's server asks to come again in some minutes, as it does with unknown senders",
    source: "RFC 6647; Postgrey and Postfix SMTPD_POLICY_README; bytecamp FAQ: 450 4.2.0",
  },
  {
    id: "sender-unknown-later",
    when: { replyCode: LATER, text: /sender address rejected/i },
    cause: "busy",
    scope: "sender",
    meaning: "the server cannot look up the sender's domain, or check its address, just now",
    source: `${postfix}: reject_unknown_sender_domain; thread docker-mailserver/docker-mailserver#1744`,
  },
  {
    id: "sender-refused",
    when: {
      replyCode: NEVER,
      text: /sender (address )?(rejected|denied|refused|verify failed)|(verify|verification of) sender|invalid sender|from address is not|sender('s)? .{0,40}(does not|doesn't) exist/i,
    },
    cause: "sender",
    meaning: "the server does not take mail from this sender address",
    remedy: "Check that the From domain exists, has an MX record, and is registered with this provider; or map From.",
    source: `${postfix}: reject_unknown_sender_domain; Exim specification 44: verify = sender; thread strapi/strapi#8125`,
  },
  {
    id: "recipient-unknown",
    when: {
      stage: ["rcpt", "data", "reply"],
      replyCode: NEVER,
      text: /user unknown|unknown (user|recipient|mailbox)|no such (user|recipient|mailbox|person|address)|recipient (address )?rejected|unrouteable address/i,
    },
    cause: "recipient",
    meaning: "the recipient's mailbox does not exist",
    source: `${postfix}: reject_unlisted_recipient; Exim specification 44; RFC 5321 4.2.3: 550`,
  },
  {
    id: "recipient-closed",
    // After the content the same words may speak of the account that sends.
    when: {
      stage: "rcpt",
      replyCode: NEVER,
      text: /(?<!your )(user|mailbox|recipient|account|address).{0,60}(not found|unavailable|does ?n[o']t exist|disabled|inactive|suspended)|invalid (recipient|mailbox|user\b|rcptto)/i,
    },
    cause: "recipient",
    meaning: "the recipient's mailbox does not exist or is closed",
    source:
      "RFC 5321 4.2.3: 550; NetEase Mail, bounce codes; Alibaba Cloud Direct Mail, return codes (read 2026-11-24)",
  },
  {
    id: "recipient-full",
    // After the content a full mailbox may be the sender's own.
    when: { stage: "rcpt", replyCode: NEVER, text: /mailbox (is )?full|over ?quota|quota exceeded/i },
    cause: "recipient",
    meaning: "the recipient's mailbox is full, and its server does not want the message again",
    source: "RFC 3463 3.3: X.2.2; RFC 5321 4.2.3: 552",
  },

  // The message
  {
    id: "header-too-large",
    when: { text: /header size exceeds/i },
    cause: "content",
    elsewhere: true,
    meaning: "the headers of the message are too long for this provider",
    source: "Learn, Message size and recipient limits in Exchange Server (read 2026-11-24)",
  },
  {
    id: "message-too-large",
    when: {
      replyCode: NEVER,
      text: /size (exceeds|limit)|(message|file|mail|data) (is )?too (large|big|long)|databytes|mailsize limit|maximum threshold/i,
    },
    cause: "size",
    meaning: "the message is larger than this provider takes",
    source: `${postfix}: message_size_limit; qmail-control(5): databytes; RFC 1870 6.1`,
  },
  {
    id: "nodemailer-size-check",
    when: { errorCode: "EMESSAGE", text: /message size larger than allowed/i },
    cause: "size",
    meaning: "the message is larger than the server's EHLO says it takes; nothing was sent",
    source: "nodemailer 10.6; RFC 1870 6",
  },
];
