import type { Rule } from "../../../src/core/index.ts";
import { LATER, NEVER } from "./codes.ts";

const rfc4954 = "RFC 4954 6";
const rfc5321 = "RFC 5321 4.2.3";
const rfc3463 = "RFC 3463 3";

/** What codes mean at each stage, by the RFCs, for servers whose words no row knows. */
export const standardRules: readonly Rule[] = [
  // Before mail: greeting, EHLO, STARTTLS
  {
    id: "service-not-available",
    when: { stage: ["connect", "tls", "greeting", "ehlo", "starttls"], replyCode: LATER },
    cause: "outage",
    meaning: "the server takes no sessions just now",
    source: `${rfc5321}: 421; Postfix POSTSCREEN_README: 450 4.3.2`,
  },
  {
    id: "greeting-refused",
    when: { stage: ["connect", "tls", "greeting"], replyCode: NEVER },
    cause: "reputation",
    meaning: "the server refuses this network address at once",
    remedy: "Ask the provider whether it blocks this gateway's address; a proxy or virus scanner may also answer so.",
    source: "RFC 5321 3.1: 554; RFC 7504: 521; thread nodemailer/nodemailer#952",
  },
  {
    id: "starttls-not-available",
    when: { stage: "starttls", replyCode: NEVER },
    cause: "outage",
    meaning: "the server does not do STARTTLS",
    remedy: "If it never did: set tls of this provider to implicit (port 465), or to none inside a trusted network.",
    source: "RFC 3207 4",
  },
  {
    id: "ehlo-refused",
    when: { stage: "ehlo", replyCode: NEVER },
    cause: "outage",
    meaning: "the server refuses the session at EHLO",
    remedy: "Set name of this provider to this machine's full host name, one that DNS knows.",
    source: "RFC 5321 4.1.1.1",
  },

  // AUTH
  {
    id: "auth-password-transition",
    when: { stage: "auth", replyCode: 432 },
    cause: "auth",
    meaning: "the account has to log in once with its password before this way of login works",
    remedy: "Set auth of this provider to plain once, over TLS, then back to auto.",
    source: `${rfc4954}: 432 4.7.12`,
  },
  {
    id: "auth-later",
    when: { stage: "auth", replyCode: LATER },
    cause: "busy",
    meaning: "the server cannot check logins just now; this says nothing about the credentials",
    source: `${rfc4954}: 454 4.7.0`,
  },
  {
    id: "auth-mechanism-refused",
    when: { stage: "auth", replyCode: [500, 502, 503, 504, 534, 538] },
    cause: "auth",
    meaning: "the server does not take this way of login, or none before TLS",
    remedy: "Set auth of this provider to one its EHLO offers (plain, login, cram-md5, xoauth2), and tls to required.",
    source: `${rfc4954}: 504, 534, 538`,
  },
  {
    id: "auth-refused",
    when: { stage: "auth", replyCode: NEVER },
    cause: "auth",
    meaning: "the server refuses the login: wrong user or password, or an account it has closed",
    remedy: "Check user and password of this provider; log in with them at the provider's own page.",
    source: `${rfc4954}: 535 5.7.8`,
  },
  {
    id: "auth-not-possible",
    when: { errorCode: ["EAUTH", "ENOAUTH", "EOAUTH2"] },
    cause: "auth",
    meaning: "no login could be made: credentials are missing, or the server offers none of our ways",
    remedy: "Set user and password of this provider; auth auto picks what the server's EHLO offers.",
    source: "nodemailer 10.6: EAUTH without a reply, ENOAUTH",
  },
  {
    id: "auth-required",
    when: { replyCode: [530, 535, 538] },
    cause: "auth",
    meaning: "the server wants a login, or TLS, first",
    remedy: "Set user and password of this provider, and tls to required.",
    source: `${rfc4954}: 530 5.7.0, 538 5.7.11`,
  },

  // Enhanced codes that mean the same wherever they come
  {
    id: "sender-not-authenticated",
    when: { status: ["5.7.20-26", "5.7.509", "5.7.515"] },
    cause: "sender",
    meaning: "SPF, DKIM or DMARC of the From domain do not cover this provider",
    remedy: "Add this provider to the From domain's SPF record and publish its DKIM key, or map From.",
    source: "RFC 7372; RFC 5248 registry: X.7.20 to X.7.26",
  },
  {
    id: "sender-domain-takes-no-mail",
    when: { status: ["5.1.7", "5.1.8", "5.7.27"] },
    cause: "sender",
    meaning: "the sender's address or domain is not a valid one to answer to",
    remedy: "Give the sender's domain an MX record, or send from another address.",
    source: `${rfc3463}.2: X.1.7, X.1.8; RFC 7505: 5.7.27`,
  },
  {
    id: "message-exceeds-limit",
    when: { status: ["5.2.3", "5.3.4"] },
    cause: "size",
    meaning: "the message is larger than the recipient or this provider takes",
    source: `${rfc3463}.3: X.2.3; ${rfc3463}.4: X.3.4`,
  },
  {
    id: "conversion-needed",
    when: { status: ["5.6.1-5", "5.6.7", "5.6.9"] },
    cause: "content",
    elsewhere: true,
    meaning: "the message would need a conversion, such as SMTPUTF8 or 8BITMIME, that this provider does not do",
    source: `${rfc3463}.7; RFC 6531 3.7: X.6.7`,
  },
  {
    id: "malformed-content",
    when: { status: "5.6.*" },
    cause: "content",
    meaning: "the message is malformed",
    source: `${rfc3463}.7: X.6.0`,
  },

  // MAIL FROM
  {
    id: "mail-parameter-refused",
    when: { stage: "mail", replyCode: [504, 555] },
    cause: "content",
    elsewhere: true,
    meaning: "the server does not know a parameter of MAIL FROM",
    source: "RFC 5321 4.1.1.11",
  },
  {
    id: "mail-size-refused",
    when: { stage: "mail", replyCode: 552 },
    cause: "size",
    meaning: "the server refuses the size declared at MAIL FROM",
    source: "RFC 1870 6.1",
  },
  {
    id: "mail-from-refused",
    when: { stage: "mail", replyCode: [501, 521, 541, 550, 551, 553, 554, 571] },
    cause: "sender",
    meaning: "the server does not take mail from this sender address",
    remedy: "Use a From that belongs to the account at this provider, or map From to one that does.",
    source: `${rfc5321}: 550, 553; RFC 5321 4.1.1.2`,
  },

  // RCPT TO
  {
    id: "recipient-later",
    when: { stage: ["rcpt", "data", "reply"], status: ["4.1.*", "4.2.*"] },
    cause: "busy",
    scope: "recipient",
    meaning: "this recipient's mailbox or domain is not ready just now, or full",
    source: `${rfc3463}.2, ${rfc3463}.3`,
  },
  {
    id: "server-later-at-recipient",
    when: { stage: "rcpt", status: ["4.3.*", "4.4.*", "4.5.*", "4.7.*"] },
    cause: "busy",
    meaning: "the server itself, or a policy of it, asks to come again later",
    source: `${rfc3463}.4; Postfix documentation: 450 4.7.1, 450 4.7.25`,
  },
  {
    id: "mailbox-later",
    when: { stage: "rcpt", replyCode: [450, 452] },
    cause: "busy",
    scope: "recipient",
    meaning: "this recipient's mailbox is not ready just now",
    source: `${rfc5321}: 450, 452`,
  },
  {
    id: "recipient-address-refused",
    when: {
      stage: ["rcpt", "data", "reply"],
      status: ["5.1.1-4", "5.1.6", "5.1.10", "5.2.1", "5.2.4", "5.4.1", "5.4.4"],
    },
    cause: "recipient",
    meaning: "the recipient's address does not exist, is closed, or its domain takes no mail",
    source: `${rfc3463}.2; RFC 7505: 5.1.10; Learn, SMTP errors in Exchange Online: 5.4.1`,
  },
  {
    id: "recipient-mailbox-full",
    when: { stage: ["rcpt", "data", "reply"], status: "5.2.2" },
    cause: "recipient",
    meaning: "the recipient's mailbox is full, and its server does not want the message again",
    source: `${rfc3463}.3: X.2.2`,
  },
  {
    id: "recipient-refused-at-rcpt",
    when: { stage: "rcpt", status: ["5.0.0", "5.1.*", "5.2.*", "5.5.0"] },
    cause: "recipient",
    meaning: "the server does not take mail for this recipient",
    source: `${rfc3463}.2, ${rfc3463}.3`,
  },
  {
    id: "policy-at-recipient",
    when: { stage: "rcpt", status: "5.7.*" },
    cause: "reputation",
    meaning: "a policy of the server refuses this sender, network address or recipient",
    remedy: "Read the reply; ask the provider which policy it is, or put another provider first.",
    source: `${rfc3463}.8: X.7.1`,
  },
  {
    id: "server-fault-at-recipient",
    when: { stage: "rcpt", status: ["5.3.*", "5.4.*"] },
    cause: "outage",
    meaning: "the server refuses with a fault of its own system or routing",
    source: `${rfc3463}.4, ${rfc3463}.5`,
  },
  {
    id: "no-such-recipient",
    when: { stage: "rcpt", replyCode: [501, 550, 551, 552, 553, 556] },
    cause: "recipient",
    meaning: "the server does not take mail for this recipient",
    source: `${rfc5321}: 550, 551, 553; RFC 7504: 556`,
  },

  // DATA and the reply to the content
  {
    id: "no-valid-recipients",
    when: { stage: "data", text: /no valid recipients/i },
    cause: "busy",
    scope: "recipient",
    meaning: "every recipient was refused before, each with a reply of its own",
    source: "RFC 5321 3.3; RFC 2920 3.1",
  },
  {
    id: "content-too-large",
    when: { stage: ["data", "content", "reply"], replyCode: 552 },
    cause: "size",
    meaning: "the message is larger than this provider takes",
    source: `${rfc5321}: 552`,
  },
  {
    id: "content-refused",
    when: { stage: ["data", "content", "reply"], replyCode: [541, 550, 553, 554, 571] },
    cause: "content",
    elsewhere: true,
    meaning: "the server refuses the message as a whole; another provider may take it",
    source: `${rfc5321}: 554 Transaction failed; ${rfc3463}.8`,
  },

  // Whatever is left
  {
    id: "protocol-disagreement",
    when: { replyCode: [500, 501, 502, 503, 504] },
    cause: "outage",
    meaning: "the server and Mailover disagree about the protocol's state",
    source: `${rfc5321}: 500 to 504`,
  },
  {
    id: "try-later",
    when: { replyCode: LATER },
    cause: "busy",
    meaning: "the server asks to try again later",
    source: "RFC 5321 4.2.1: 4yz",
  },
  {
    id: "local-recipient-refused",
    when: { errorCode: "EENVELOPE", text: /invalid recipient|no recipients/i },
    cause: "recipient",
    meaning: "the recipient's address cannot be used with this server, such as one that needs SMTPUTF8",
    source: "nodemailer 10.6: EENVELOPE, command API",
  },
  {
    id: "local-sender-refused",
    when: { errorCode: "EENVELOPE", text: /invalid sender|internationalized mailbox/i },
    cause: "sender",
    meaning: "the sender's address cannot be used with this server, such as one that needs SMTPUTF8",
    remedy: "Map From to an address in ASCII for this provider.",
    source: "nodemailer 10.6: EENVELOPE, command API; RFC 6531 3.5",
  },
];
