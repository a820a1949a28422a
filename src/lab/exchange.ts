import type { Clock } from "../core/index.ts";
import { createAuthority } from "./certificate.ts";
import type { CertificateAuthority } from "./certificate.ts";
import { SMTP_RESOURCE } from "./defaults.ts";
import type { EntraServer } from "./entra.ts";
import { exchangeReplies as replies } from "./exchange-replies.ts";
import { DEFAULT_EXCHANGE_RULES } from "./exchange-rules.ts";
import type { ExchangeRules } from "./exchange-rules.ts";
import { ExchangeUsage } from "./exchange-usage.ts";
import type { SmtpFault } from "./fault.ts";
import type { LabServer } from "./lab-server.ts";
import { addressIn, headerOf } from "./mime-header.ts";
import type { AuthVerdict, ContentVerdict, SmtpPolicy, SmtpState, Transaction } from "./smtp-policy.ts";
import type { Credentials } from "./smtp-sasl.ts";
import { startSmtpServer } from "./smtp-server.ts";

export type ExchangeOptions = {
  /** Whose tokens it takes. */
  readonly entra: Pick<EntraServer, "checkToken">;
  readonly host?: string;
  readonly port?: number;
  /** Signs the server's certificate; made anew where it is missing. */
  readonly authority?: CertificateAuthority;
  readonly rules?: Partial<ExchangeRules>;
  readonly clock?: Clock;
  readonly seed?: number;
};

export interface ExchangeServer extends LabServer<SmtpFault> {
  readonly rules: ExchangeRules;
  /** Changes rules while it runs; they count from the next command on. */
  setRules(rules: Partial<ExchangeRules>): void;
}

/** The size that EHLO tells, whatever the mailbox is set to. */
const DECLARED_MAX_BYTES = 157_286_400;

/** A stand-in for client submission at Exchange Online: STARTTLS, then XOAUTH2 with a token of the lab's Entra ID. */
export async function startExchange(options: ExchangeOptions): Promise<ExchangeServer> {
  const clock = options.clock ?? Date.now;
  const rules = { ...DEFAULT_EXCHANGE_RULES, ...options.rules };
  const usage = new ExchangeUsage();
  const standIn = await startSmtpServer({
    name: "exchange",
    host: options.host ?? "127.0.0.1",
    port: options.port ?? 0,
    policy: exchangePolicy(rules, usage, options.entra, clock),
    tls: { mode: "starttls", authority: options.authority ?? (await createAuthority()) },
    clock,
    seed: options.seed ?? 1,
    onClear: () => usage.clear(),
  });
  return Object.assign(standIn, {
    rules,
    setRules: (changes: Partial<ExchangeRules>) => void Object.assign(rules, changes),
  });
}

function exchangePolicy(
  rules: ExchangeRules,
  usage: ExchangeUsage,
  entra: ExchangeOptions["entra"],
  clock: Clock,
): SmtpPolicy {
  return {
    greeting: () => replies.greeting(clock()),
    helloLine: () => replies.helloLine,
    extensions: () => [
      `SIZE ${DECLARED_MAX_BYTES}`,
      "PIPELINING",
      "DSN",
      "ENHANCEDSTATUSCODES",
      "8BITMIME",
      "BINARYMIME",
      "CHUNKING",
      "SMTPUTF8",
    ],
    mechanisms: ({ secure }) => (secure ? ["LOGIN", "XOAUTH2"] : []),
    unknownMechanism: () => replies.unknownMechanism(clock()),
    signedIn: "235 2.7.0 Authentication successful",
    authenticate: (credentials, state) => authenticate(credentials, state, rules, usage, entra, clock()),
    xoauth2Challenge: false,
    mail: (_address, declaredSizeBytes, { secure, user }) => {
      if (!secure) return replies.startTlsRequired(clock());
      if (user === null) return replies.notAuthenticated(clock());
      return (declaredSizeBytes ?? 0) > DECLARED_MAX_BYTES ? replies.tooLarge() : "250 2.1.0 Sender OK";
    },
    rcpt: (address, acceptedCount) => {
      if (/^unknown@/i.test(address)) return replies.recipientNotFound(address);
      return acceptedCount >= rules.recipientsPerMessage
        ? replies.tooManyRecipients(clock())
        : "250 2.1.5 Recipient OK";
    },
    startContent: "354 Start mail input; end with <CRLF>.<CRLF>",
    maxBytes: DECLARED_MAX_BYTES,
    content: (transaction, state) => take(transaction, state, rules, usage, clock()),
    reset: "250 2.0.0 Resetting",
    noop: "250 2.0.0 OK",
    goodbye: "221 2.0.0 Service closing transmission channel",
    ended: ({ user, connection }) => {
      if (user !== null) usage.signOut(user, connection);
    },
  };
}

function authenticate(
  credentials: Credentials,
  { connection }: SmtpState,
  rules: ExchangeRules,
  usage: ExchangeUsage,
  entra: ExchangeOptions["entra"],
  now: number,
): AuthVerdict {
  const mailbox = credentials.user.toLowerCase();
  if (rules.smtpAuthDisabledForTenant) return { refusal: replies.smtpAuthDisabled("Tenant", now) };
  if (rules.smtpAuthDisabledFor.includes(mailbox)) return { refusal: replies.smtpAuthDisabled("Mailbox", now) };
  if (credentials.mechanism !== "XOAUTH2") {
    return { refusal: rules.basicAuth === "retired" ? replies.basicAuthRetired(now) : replies.basicAuthDisabled(now) };
  }
  const claims = entra.checkToken(credentials.token);
  const mayEnter =
    claims !== null &&
    claims.audience === SMTP_RESOURCE &&
    claims.roles.includes("SMTP.SendAsApp") &&
    (rules.mailboxes === null || rules.mailboxes.includes(mailbox)) &&
    !rules.unlicensed.includes(mailbox) &&
    !rules.forbidden.includes(mailbox);
  if (!mayEnter) return { refusal: replies.badCredentials(now) };
  usage.signIn(mailbox, connection);
  return { user: mailbox };
}

function take(
  { content, sizeBytes, mailFrom, rcptTo }: Transaction,
  { user, connection }: SmtpState,
  rules: ExchangeRules,
  usage: ExchangeUsage,
  now: number,
): ContentVerdict {
  const mailbox = user ?? "";
  const remoteId = headerOf(content, "Message-ID") ?? replies.newMessageId();
  const answer = (reply: string): ContentVerdict => ({ reply, remoteId });
  const refuseFor = (status: "5.2.251" | "5.2.252", what: string, reply: string): ContentVerdict => {
    usage.noteRefusal(mailbox);
    return answer(usage.refusalCount(mailbox) > rules.blockedAfterRefusals ? replies.blocked(status, what) : reply);
  };

  if (usage.connectionRank(mailbox, connection) > rules.connectionsPerMailbox)
    return answer(replies.tooManyConnections());
  if (sizeBytes > rules.maxMessageBytes) return answer(replies.tooLarge());
  if (rules.full.includes(mailbox)) return refuseFor("5.2.251", "mailbox full", replies.mailboxFull());
  const senders = [addressIn(headerOf(content, "From")) ?? mailFrom, mailFrom];
  const allowed = new Set([mailbox, ...(rules.sendAs[mailbox] ?? [])]);
  const strange = senders.find((address) => address !== "" && !allowed.has(address.toLowerCase()));
  if (strange !== undefined) return refuseFor("5.2.252", "send as denied", replies.sendAsDenied(mailbox, strange));
  if (usage.recipientCount(mailbox, now) + rcptTo.length > rules.recipientsPerDay) return answer(replies.quotaUsedUp());

  const slot = rules.overRate === "off" ? now : usage.slotFor(mailbox, rules.messagesPerMinute, now);
  if (slot > now && rules.overRate === "432") return answer(replies.overRate());
  usage.takeSlot(mailbox, slot);
  usage.takeRecipients(mailbox, rcptTo.length, now);
  usage.noteSuccess(mailbox);
  return { reply: replies.accepted(remoteId), remoteId, delayMs: slot - now };
}
