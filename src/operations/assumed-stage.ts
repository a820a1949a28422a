import { parseEnhancedStatus } from "../core/index.ts";
import type { Evidence, Stage } from "../core/index.ts";

/** Words around a reply that name the command it answered: those of nodemailer's messages and of mail logs. */
const NAMED: readonly (readonly [words: RegExp, stage: Stage])[] = [
  [/invalid greeting|refused to talk to me/i, "greeting"],
  [/server terminates connection|invalid [eh]helo|in reply to (EHLO|HELO)/i, "ehlo"],
  [/upgrading connection with starttls|in reply to STARTTLS/i, "starttls"],
  [/invalid login|in reply to AUTH|SASL authentication failed/i, "auth"],
  [/mail command failed|in reply to MAIL FROM/i, "mail"],
  [/recipients? (command failed|were rejected)|in reply to RCPT TO/i, "rcpt"],
  [/data command failed|in reply to DATA/i, "data"],
  [/message failed|in reply to end of DATA/i, "reply"],
];

/** What most replies of this kind answer, in order; the last row holds for all that is left. */
const USUAL: readonly (readonly [holds: (reply: Reply) => boolean, stage: Stage])[] = [
  [({ text }) => /relay/i.test(text), "rcpt"],
  [({ code }) => [432, 454, 504, 530, 534, 535, 538].includes(code), "auth"],
  [({ text, status }) => /authenticat|\blog ?in\b/i.test(text) || status === "5.7.30", "auth"],
  [({ code, status }) => code === 421 && status === "4.3.2", "greeting"],
  [({ text }) => /sender address|mail from/i.test(text), "mail"],
  [({ status }) => /^[45]\.1\.[0-69]\d?$/.test(status ?? ""), "rcpt"],
  [({ text }) => /user unknown|no such user|recipient|mailbox unavailable|gr[ea]y-?list/i.test(text), "rcpt"],
  [({ code, status }) => code !== 554 && /^[45]\.2\.[0-4]$/.test(status ?? ""), "rcpt"],
  [({ code, status }) => [450, 550, 551, 553].includes(code) && status === undefined, "rcpt"],
  [() => true, "reply"],
];

const OF_ERROR: readonly (readonly [code: RegExp, stage: Stage])[] = [
  [/^(ENOTFOUND|ENODATA|EDNS|EAI_\w+|ESERVFAIL|EREFUSED|ETIMEOUT)$/, "dns"],
  [/CERT|^ERR_(SSL|TLS)|^(ETLS|EPROTO|HOSTNAME_MISMATCH|UNABLE_TO_\w+|INVALID_(CA|PURPOSE))$/, "tls"],
  [/^(EAUTH|ENOAUTH|EOAUTH2)$/, "auth"],
  [/^EPROTOCOL$/, "greeting"],
  [/^(EENVELOPE|EMESSAGE)$/, "mail"],
  [/^[a-z]+(_[a-z]+)+$/, "token"],
];

type Reply = { readonly code: number; readonly status: string | undefined; readonly text: string };

/** The stage that words around a reply name, or null. */
export function namedStage(text: string): Stage | null {
  return NAMED.find(([words]) => words.test(text))?.[1] ?? null;
}

/** The stage that failures like this one mostly happen in, where nothing names it. */
export function usualStage({ replyCode, status, text, httpStatus, aadsts, errorCode }: Omit<Evidence, "stage">): Stage {
  if (aadsts !== undefined) return "token";
  if (httpStatus !== undefined) return "http";
  if (replyCode !== undefined || parseEnhancedStatus(text) !== null) {
    const reply = { code: replyCode ?? 0, status, text };
    return USUAL.find(([holds]) => holds(reply))?.[1] ?? "reply";
  }
  return OF_ERROR.find(([code]) => code.test(errorCode ?? ""))?.[1] ?? "connect";
}
