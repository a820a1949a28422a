import type { Agent } from "node:https";
import { classify, mapFrom } from "../../src/core/index.ts";
import type { Lookup, Notice, ProviderContext, Rule, SoughtMessage } from "../../src/core/index.ts";
import { appToken } from "./app-token.ts";
import { graphEndpointsOf } from "./clouds.ts";
import { credentialRules } from "./credential-rules.ts";
import { entraRules } from "./entra-rules.ts";
import { graphTrouble } from "./graph-trouble.ts";
import { httpsAgent } from "./https-agent.ts";
import { NetworkClient } from "./network-client.ts";
import type { JsonExchange } from "./network-client.ts";
import { byMessageId, byTime, judgeAbsence, judgeItems, parseSentItems } from "./sent-items.ts";
import type { SentItems, SentItemsQuery } from "./sent-items.ts";
import type { Settings } from "./settings.ts";
import type { TokenSource } from "./token-source.ts";

/** Some hundred messages with their headers, each of a few kilobytes. */
const maxAnswerBytes = 8_000_000;

const tokenRules: readonly Rule[] = [...credentialRules, ...entraRules];

type Answer = { readonly ok: true; readonly sent: SentItems } | { readonly ok: false; readonly reason: string };

/**
 * Looks for a message in the Sent Items of the mailbox, where Exchange keeps a copy of what it accepts by SMTP. It has a
 * token of its own: that of SMTP is for another resource, and Graph refuses it.
 */
export class GraphLookup {
  readonly #settings: Settings;
  readonly #clock: ProviderContext["clock"];
  readonly #agent: Agent;
  readonly #tokens: TokenSource;
  readonly #folderUrl: string;
  readonly #closing = new AbortController();

  constructor(settings: Settings, ca: string | null, context: ProviderContext) {
    const { url, scope } = graphEndpointsOf(settings);
    this.#settings = settings;
    this.#clock = context.clock;
    this.#agent = httpsAgent(ca);
    this.#folderUrl = `${url}/v1.0/users/${encodeURIComponent(settings.mailbox)}/mailFolders/sentitems/messages`;
    const notice: Notice = (event, fields) => context.notice(`graph.${event}`, fields);
    this.#tokens = appToken({ ...settings, scope }, ca, { ...context, notice });
  }

  /** Never throws. One question where the Message-ID is found, else two. */
  async lookup(message: SoughtMessage, attemptedAt: number, signal: AbortSignal): Promise<Lookup> {
    const named = await this.#ask(byMessageId(message.messageId), signal);
    if (!named.ok) return { kind: "unknown", reason: named.reason };
    const settled = judgeItems(message, attemptedAt, named.sent);
    if (settled !== null) return settled;

    const stored = await this.#ask(byTime(attemptedAt), signal);
    if (!stored.ok) return { kind: "unknown", reason: stored.reason };
    const found = judgeItems(message, attemptedAt, stored.sent);
    if (found !== null) return found;
    const { mailbox, absentAfterMs } = this.#settings;
    if (!this.#isFromMailbox(message)) {
      return { kind: "unknown", reason: `not in Sent Items; its From is not ${mailbox}, so its copy may be elsewhere` };
    }
    return judgeAbsence(attemptedAt, this.#clock(), stored.sent, absentAfterMs ?? null);
  }

  /** Exchange's switches for messages sent as others (MessageCopyForSentAsEnabled) decide where their copies go. */
  #isFromMailbox({ from }: SoughtMessage): boolean {
    const { address } = mapFrom(this.#settings.from, from) ?? from;
    return address.toLowerCase() === this.#settings.mailbox.toLowerCase();
  }

  /** Ends questions under way; they come to `unknown`. */
  close(): void {
    this.#closing.abort();
    this.#tokens.close();
  }

  async #ask(query: SentItemsQuery, signal: AbortSignal): Promise<Answer> {
    const token = await this.#tokens.get(signal);
    if (!token.ok) return noToken(token.evidence);
    let exchange = await this.#exchange(query, token.accessToken, signal);
    // A token may be revoked before its time: one try with another.
    if (token.fromCache && exchange?.kind === "answered" && exchange.httpStatus === 401) {
      const renewed = await this.#tokens.renew(token.accessToken, signal);
      if (!renewed.ok) return noToken(renewed.evidence);
      exchange = await this.#exchange(query, renewed.accessToken, signal);
    }
    const found = exchange?.kind === "answered" && exchange.httpStatus === 200 ? parseSentItems(exchange.json) : null;
    return found === null
      ? { ok: false, reason: graphTrouble(exchange, this.#settings.mailbox) }
      : { ok: true, sent: found };
  }

  /** Null where the request was stopped before it began. */
  async #exchange(query: SentItemsQuery, accessToken: string, signal: AbortSignal): Promise<JsonExchange | null> {
    const { graphMs } = this.#settings.timeouts;
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(coded("ETIMEDOUT", `no answer within ${graphMs} ms`)), graphMs);
    const stop = () => limit.abort(coded("ABORTED", "the look-up was stopped"));
    const stoppers = [signal, this.#closing.signal];
    for (const stopper of stoppers) stopper.addEventListener("abort", stop, { once: true });
    if (stoppers.some(({ aborted }) => aborted)) stop();
    const client = new NetworkClient(this.#agent, limit.signal, maxAnswerBytes);
    try {
      const { filter, select, top } = query;
      const url = `${this.#folderUrl}?$filter=${encodeURIComponent(filter)}&$select=${select}&$top=${top}`;
      await client.sendGetRequestAsync(url, { headers: { authorization: `Bearer ${accessToken}` } });
    } catch {
      // What it came to is in `latest`.
    } finally {
      clearTimeout(timer);
      for (const stopper of stoppers) stopper.removeEventListener("abort", stop);
    }
    return client.latest;
  }
}

function noToken(evidence: Parameters<typeof classify>[1]): Answer {
  const { reason, remedy } = classify(tokenRules, evidence);
  return { ok: false, reason: `no token for Microsoft Graph: ${reason}${remedy === undefined ? "" : ` ${remedy}`}` };
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
