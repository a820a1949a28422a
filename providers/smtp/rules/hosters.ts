import type { Rule } from "../../../src/core/index.ts";
import { LATER, NEVER } from "./codes.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const netease = "NetEase Mail, bounce codes (退信代码说明, read 2026-11-24)";
const directMail = "Alibaba Cloud Direct Mail, Summary of common email return codes (read 2026-11-24)";
const gmx = "postmaster.gmx.com, Error messages (read 2026-11-24)";

/** Words of mail hosters in Germany, China and France, whose replies are in their own codes. */
export const hosterRules: readonly Rule[] = [
  // GMX, WEB.DE, IONOS, STRATO
  {
    id: "gmx-rate",
    when: { text: /rate limit reached/i },
    cause: "throttled",
    retryAfterMs: hourMs,
    meaning: "too much mail in too short a time; the provider asks to wait some hours",
    source: `${gmx}; postmaster.web.de, Fehlermeldungen`,
  },
  {
    id: "gmx-policy-later",
    when: { replyCode: LATER, text: /reject due to policy/i },
    cause: "throttled",
    retryAfterMs: hourMs,
    meaning: "the provider holds this address back for a time, after mail to too many unknown recipients",
    source: gmx,
  },
  {
    id: "gmx-policy",
    when: { replyCode: NEVER, text: /reject due to policy|no smtp service|nemesis esmtp/i },
    cause: "reputation",
    meaning: "the provider takes no mail from this network address: block list, reverse name or policy",
    remedy: "Open the address in the reply's last line; it names the reason and the way to be let in again.",
    source: gmx,
  },
  {
    id: "strato-own-domain",
    when: { text: /B-UADOM/ },
    cause: "sender",
    meaning: "the From domain is not one of this STRATO account",
    remedy: "STRATO Kunden-Login > E-Mail > Verwaltung: use a mailbox of the From domain as user, or map From.",
    source: "STRATO FAQ 2420 for the form of the reply (read 2026-11-24); the code B-UADOM second-hand",
  },

  {
    id: "strato-content",
    when: { text: /\bB-(URL|TEXT|SCORE|EX|ATTACH)\b/ },
    cause: "content",
    elsewhere: true,
    meaning: "STRATO's filter refuses a link, the text or an attachment",
    source: "STRATO FAQ 2420 (read 2026-11-24)",
  },

  // QQ, 163 and 126 (Coremail)
  {
    id: "qq-authenticate-rate",
    when: { text: /authenticate too many times/i },
    cause: "throttled",
    retryAfterMs: 10 * minuteMs,
    meaning: "too many logins in a short time; the credentials may well be right",
    source: "thread nodemailer/nodemailer#1350",
  },
  {
    id: "qq-frequency",
    when: {
      text: /(sender|connection|login|ip) frequency limited/i,
      replyCode: [421, 450, 451, 452, 550, 554],
    },
    cause: "throttled",
    retryAfterMs: 10 * minuteMs,
    meaning: "too many connections or messages in a short time",
    source: "Tencent Mail, bounce reasons; threads meolu/walle-web#289, ssrpanel/SSRPanel#1324",
  },
  {
    id: "qq-content-denied",
    when: { text: /mail content denied/i },
    cause: "content",
    elsewhere: true,
    meaning: "the provider's filter refuses this content",
    source: "Tencent Mail, bounce reasons: 550 Mail content denied (read 2026-11-24)",
  },
  {
    id: "qq-from-is-not-user",
    when: { text: /must (be (the )?same as|equal) authoriz(ed|ation) user/i },
    cause: "sender",
    meaning: "the From has to be the address that logged in",
    remedy: "Log in as the From address, or map From to the user's own address.",
    source: "thread nodeSolidServer/node-solid-server#1281",
  },
  {
    id: "netease-rate",
    when: { text: /\b(HL:(REP|ICC|IFC|MEP)|MI:(DMC|SFQ|CEL|CCL)|RP:(DRC|QRC|CEL|CCL))\b/ },
    cause: "throttled",
    retryAfterMs: 15 * minuteMs,
    meaning: "too many connections, messages, recipients or errors in a short time",
    source: netease,
  },
  {
    id: "netease-daily-limit",
    when: { text: /\b(MI:STC|RP:TRC)\b/ },
    cause: "quota",
    retryAfterMs: hourMs,
    meaning: "the mailbox's messages, connections or recipients a day are used up",
    remedy: "Wait until the next day in China, use an enterprise mailbox, or put another provider first.",
    source: `${netease}; thread ComsenzDiscuz/DiscuzX#2`,
  },
  {
    id: "netease-sender",
    when: { text: /\b(MI:(SPF|DMA|IMF)|DT:SUM)\b/ },
    cause: "sender",
    meaning: "SPF or DMARC do not cover this sender, or envelope and From differ",
    remedy: "Add this provider to the From domain's SPF record, or map From to the mailbox that logs in.",
    source: netease,
  },
  {
    id: "netease-spam",
    when: { replyCode: NEVER, text: /\b(DT:SPM|DT:RBL|HL:(IPB|IHU)|MI:SPB)\b/ },
    cause: "reputation",
    meaning: "NetEase takes this content, sender or network address for spam",
    remedy: "Open the address in the reply; it explains the code and how to be let in again.",
    source: `${netease}; thread zhangyunhao116/zmail#57`,
  },

  // Alibaba Cloud Direct Mail
  {
    id: "directmail-from-is-not-user",
    when: { text: /MAIL FROM"? doesn'?t conform with authentication/i },
    cause: "sender",
    meaning: "the sender has to be the address that logged in, although the code says later",
    remedy: "Log in as the From address, or map From to the user's own address.",
    source: directMail,
  },
  {
    id: "directmail-account",
    when: { text: /main account unavailable/i },
    cause: "auth",
    meaning: "the account may not send: it is restricted or in arrears",
    remedy: "Direct Mail console > Overview shows the account's state and what to do about it.",
    source: directMail,
  },

  // Orange and La Poste (FR)
  {
    id: "orange-recipient",
    when: { text: /\bOFR_?41[67]\b/ },
    cause: "recipient",
    meaning: "the recipient does not exist at Orange, or its mailbox is full",
    source: "Orange's replies as seen in public logs (2026-11-24)",
  },
];
