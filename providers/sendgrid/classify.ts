import type { Rule } from "../../src/core/index.ts";
import { networkRules } from "../network-rules.ts";

const api = "Twilio SendGrid docs, Mail Send API: errors (read 2026-11-24)";
const limits = "Twilio SendGrid docs, Mail Send: limitations (read 2026-11-24)";

const keysPage = "SendGrid > Settings > API Keys";
const hourMs = 3_600_000;

/**
 * What the v3 Mail Send API answers. One status stands for several causes (401 is a wrong key, a plan used up, or a
 * forbidden address), so the words of `errors[].message` and the field come first. A 400 may be our own mapping's
 * fault, and is worth another provider unless an address is malformed.
 */
export const sendgridRules: readonly Rule[] = [
  // Words that outrank the status
  {
    id: "credits-used-up",
    when: { httpStatus: [400, 401, 403, 429], text: /maximum credits exceeded/i },
    cause: "quota",
    retryAfterMs: hourMs,
    meaning: "the plan's credits are used up, although the status is that of a wrong key",
    remedy:
      "SendGrid > Settings > Account Details > Your Products: raise the plan; daily credits return at midnight UTC.",
    source: "thread sendgrid/sendgrid-nodejs#1032; Twilio changelog 2025-03-25: end of the free plan",
  },
  {
    id: "messaging-limit",
    when: { httpStatus: [400, 401, 403, 429], text: /exceeded your (messaging|sending) limits?/i },
    cause: "quota",
    retryAfterMs: hourMs,
    meaning: "the account's messaging limit is reached",
    remedy: "SendGrid > Settings > Account Details > Your Products: raise the plan.",
    source: "thread WA-WF-Bot/WA-WF-Bot-Public#282",
  },
  {
    id: "address-not-allowed",
    when: { httpStatus: [401, 403], text: /ip address is not (white|allow)-?listed/i },
    cause: "auth",
    meaning: "the account takes requests of listed network addresses only, and this gateway's is not one",
    remedy: "SendGrid > Settings > IP Access Management: add the address this gateway sends from.",
    source: "Twilio SendGrid docs, IP Access Management (read 2026-11-24)",
  },
  {
    id: "sender-identity",
    when: { httpStatus: [400, 403], text: /does not match a verified sender identity/i },
    cause: "sender",
    meaning: "SendGrid sends only for addresses and domains that were verified there",
    remedy: "SendGrid > Settings > Sender Authentication: authenticate the domain, or map From to one that is.",
    source: "Twilio SendGrid docs, Sender Identity (read 2026-11-24)",
  },
  {
    id: "account-suspended",
    when: { httpStatus: [401, 403], text: /account .{0,40}(suspended|disabled|banned|under review|deactivated)/i },
    cause: "reputation",
    meaning: "SendGrid has suspended the account",
    remedy: "SendGrid > Support > Open a ticket, or answer the mail of SendGrid's compliance team.",
    source: "Twilio SendGrid support 360041790293 (read 2026-11-24)",
  },

  // 401 and 403
  {
    id: "key-invalid",
    when: { httpStatus: 401, text: /authorization grant is invalid/i },
    cause: "auth",
    meaning: "the API key is wrong, deleted, or of the other region",
    remedy: `${keysPage} > Create API Key with Mail Send, and put it into apiKey; a key of an EU subuser needs region eu.`,
    source: api,
  },
  {
    id: "not-authorized",
    when: { httpStatus: 401 },
    cause: "auth",
    meaning: "SendGrid does not take the API key",
    remedy: `${keysPage}: check that the key is there, and put it into apiKey.`,
    source: api,
  },
  {
    id: "from-refused",
    when: { httpStatus: 403, field: /^from/ },
    cause: "sender",
    meaning: "SendGrid does not send for this From",
    remedy: "SendGrid > Settings > Sender Authentication: authenticate the domain, or map From to one that is.",
    source: "Twilio SendGrid docs, Sender Identity (read 2026-11-24)",
  },
  {
    id: "scope-missing",
    when: { httpStatus: 403, text: /access forbidden|authorization required|permission/i },
    cause: "auth",
    meaning: "the API key may not send mail",
    remedy: `${keysPage} > {key} > Edit: give it Mail Send > Full Access.`,
    source: `${api}; Twilio SendGrid docs, API Key Permissions`,
  },
  {
    id: "forbidden",
    when: { httpStatus: 403 },
    cause: "auth",
    meaning: "SendGrid forbids the request: the key lacks a right, or the account is not active",
    remedy: `${keysPage} > {key} > Edit: give it Mail Send; SendGrid > Settings > Account Details shows the account's state.`,
    source: api,
  },

  // 400: what is wrong with the request
  {
    id: "from-address-invalid",
    when: { httpStatus: 400, field: /^from\b/, text: /does not contain a valid address|from email/i },
    cause: "sender",
    meaning: "SendGrid does not take this From as an address",
    remedy:
      "Map From to an address of SendGrid > Settings > Sender Authentication; SendGrid takes ASCII addresses only.",
    source: `${limits}: no Unicode in from`,
  },
  {
    id: "recipient-address-invalid",
    when: { httpStatus: 400, field: /^personalizations\.\d+\.(to|cc|bcc)/, text: /does not contain a valid address/i },
    cause: "recipient",
    meaning: "a recipient's address is malformed",
    source: api,
  },
  {
    id: "reply-to-invalid",
    when: { httpStatus: 400, field: /^reply_to/, text: /does not contain a valid address/i },
    cause: "content",
    meaning: "the Reply-To address is malformed",
    source: api,
  },
  {
    id: "recipient-repeated",
    when: { httpStatus: 400, text: /should be unique between to, cc,? and bcc/i },
    cause: "content",
    elsewhere: true,
    meaning: "an address stands twice among to, cc and bcc, which SMTP does not mind",
    source: limits,
  },
  {
    id: "recipients-too-many",
    when: {
      httpStatus: 400,
      text: /(total|number of) .{0,60}(recipients|personalizations)|(recipients|personalizations) .{0,60}(exceed|less than|more than|maximum)/i,
    },
    cause: "content",
    elsewhere: true,
    meaning: "more than 1,000 recipients in one request",
    source: limits,
  },
  {
    id: "header-reserved",
    when: { httpStatus: 400, field: /headers/ },
    cause: "content",
    elsewhere: true,
    meaning: "SendGrid does not let this header be set",
    source: `${limits}: reserved headers`,
  },
  {
    id: "attachment-refused",
    when: { httpStatus: 400, field: /^attachments/ },
    cause: "content",
    elsewhere: true,
    meaning: "SendGrid does not take an attachment as it is",
    source: api,
  },
  {
    id: "message-over-30-mb",
    when: { httpStatus: 400, text: /(exceeds?|larger than|over) .{0,40}(30 ?mb|size|bytes)|too large/i },
    cause: "size",
    meaning: "the message is larger than SendGrid's 30 MB in all",
    source: limits,
  },
  {
    id: "request-refused",
    when: { httpStatus: [400, 422] },
    cause: "content",
    elsewhere: true,
    meaning: "SendGrid does not take the request as it is; another provider gets the message in another form",
    source: `${api}: 400`,
  },

  // Other statuses
  {
    id: "wrong-endpoint",
    when: { httpStatus: [404, 405, 406, 415] },
    cause: "auth",
    meaning: "what answers is not SendGrid's Mail Send API",
    remedy: `Leave baseUrl to region, or set it to https://api.sendgrid.com; ${keysPage} is the place to see that the account is alive.`,
    source: `${api}: 404, 405, 406, 415`,
  },
  {
    id: "request-too-large",
    when: { httpStatus: 413 },
    cause: "size",
    meaning: "the request is larger than SendGrid takes",
    source: `${api}: 413`,
  },
  {
    id: "too-many-requests",
    when: { httpStatus: 429 },
    cause: "throttled",
    retryAfterMs: 60_000,
    meaning: "too many requests; X-RateLimit-Reset says until when",
    source: "Twilio SendGrid docs, Rate Limits (read 2026-11-24)",
  },
  {
    id: "service-failed",
    when: { httpStatus: [408, 500, 501, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526] },
    cause: "outage",
    meaning: "SendGrid, or a proxy on the way to it, fails",
    source: `${api}: 500, 502, 503, 504`,
  },
  ...networkRules,
];
