import { classify, mapFrom } from "../../src/core/index.ts";
import type {
  Capabilities,
  Declination,
  Evidence,
  Message,
  Outcome,
  Provider,
  ProviderContext,
  Rule,
  SendOptions,
  Transmission,
  Verification,
} from "../../src/core/index.ts";
import type { Credentials, NoCredentials } from "../smtp/credentials.ts";
import { pemText } from "../smtp/pem.ts";
import { rewriteFrom } from "../smtp/rewrite-from.ts";
import { SmtpTransport } from "../smtp/transport.ts";
import { appToken } from "./app-token.ts";
import { microsoft365Rules } from "./classify.ts";
import { endpointsOf } from "./clouds.ts";
import { ExpiryWatch } from "./credential-expiry.ts";
import { credentialRules } from "./credential-rules.ts";
import { credentialSources } from "./credentials.ts";
import { entraRules } from "./entra-rules.ts";
import { GraphLookup } from "./graph-lookup.ts";
import { maySendAs } from "./sender.ts";
import type { Settings } from "./settings.ts";
import type { TokenResult, TokenSource } from "./token-source.ts";

/** What failures before the connection mean, then those of Exchange Online. */
export const rules: readonly Rule[] = [...credentialRules, ...entraRules, ...microsoft365Rules];

/**
 * Exchange closes a connection that is unused for some minutes; ours goes long before, since a mailbox has three for all
 * gateways.
 */
const idleMs = 10_000;
const messagesPerConnection = 100;

/** One mailbox of Exchange Online, signed in to by an app's token. */
export class Microsoft365Provider implements Provider {
  readonly name: string;
  readonly kind = "microsoft365";
  readonly capabilities: Capabilities;
  /** Only with `verifyWithGraph`. Who its recipients are does not count: Sent Items has a copy of the whole message. */
  readonly lookup?: NonNullable<Provider["lookup"]>;
  readonly #settings: Settings;
  readonly #tokens: TokenSource;
  readonly #expiry: ExpiryWatch;
  readonly #transport: SmtpTransport;
  readonly #graph: GraphLookup | null;
  readonly #closing = new AbortController();
  /** The token that the latest connection signed in with, and whether it was one that had been used before. */
  #presented: (TokenResult & { ok: true }) | null = null;

  /** Throws where the file that `ca` names cannot be read. */
  constructor(name: string, settings: Settings, context: ProviderContext) {
    const ca = settings.ca === undefined ? null : pemText(settings.ca);
    this.name = name;
    this.capabilities = {
      maxMessageBytes: settings.maxMessageBytes,
      maxRecipients: settings.maxRecipients,
      maxConnections: settings.connections,
      idleConnectionMs: idleMs,
      raw: true,
    };
    this.#settings = settings;
    this.#tokens = appToken(settings, ca, context);
    this.#expiry = new ExpiryWatch(credentialSources(settings), context);
    const graph = settings.verifyWithGraph ? new GraphLookup(settings, ca, context) : null;
    this.#graph = graph;
    if (graph !== null) {
      this.lookup = (message, _recipients, attemptedAt, { signal }) => graph.lookup(message, attemptedAt, signal);
    }
    this.#transport = new SmtpTransport({
      host: endpointsOf(settings).host,
      port: settings.port,
      tls: "required",
      ca,
      minTlsVersion: "TLSv1.2",
      servername: null,
      ehloName: null,
      credentials: (options) => this.#credentials(options),
      onAuthRejected: (evidence) => this.#renew(evidence),
      rules,
      timeouts: settings.timeouts,
      maxConnections: settings.connections,
      idleMs,
      messagesPerConnection,
    });
  }

  declines(message: Message): Declination | null {
    const { mailbox, sendAs, from } = this.#settings;
    const { address } = mapFrom(from, message.from) ?? message.from;
    if (maySendAs(mailbox, sendAs, address)) return null;
    return { cause: "sender", reason: `From ${address} is not the mailbox ${mailbox} nor in its sendAs list` };
  }

  send(transmission: Transmission, options: SendOptions): Promise<Outcome> {
    return this.#transport.send({ ...transmission, message: this.#dress(transmission.message) }, options);
  }

  verify(options: SendOptions): Promise<Verification> {
    return this.#transport.verify(options);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#expiry.close();
    this.#tokens.close();
    this.#graph?.close();
    await this.#transport.close();
  }

  /** The message as this mailbox may send it: From mapped, and an envelope sender of its own. */
  #dress(message: Message): Message {
    const mapped = rewriteFrom(message, this.#settings.from);
    const { mailFrom } = mapped.envelope;
    const { mailbox, sendAs } = this.#settings;
    if (mailFrom === "" || maySendAs(mailbox, sendAs, mailFrom)) return mapped;
    return { ...mapped, envelope: { ...mapped.envelope, mailFrom: mapped.from.address } };
  }

  async #credentials({ signal, onStage }: SendOptions): Promise<Credentials | NoCredentials> {
    onStage("token");
    const result = await this.#tokens.get(signal);
    if (!result.ok) return { kind: "none", failure: classify(rules, result.evidence) };
    this.#presented = result;
    return { kind: "xoauth2", user: this.#settings.mailbox, accessToken: result.accessToken };
  }

  /** Whether there is another token to sign in with. One that Entra ID gave just now is as good as any. */
  async #renew(evidence: Evidence): Promise<boolean> {
    const presented = this.#presented;
    if (presented === null || !presented.fromCache || !otherTokenMayHelp(evidence)) return false;
    return (await this.#tokens.renew(presented.accessToken, this.#closing.signal)).ok;
  }
}

/** 535 5.7.139 is a policy or a switch at Exchange, which stands whatever the token. */
function otherTokenMayHelp({ replyCode, status }: Evidence): boolean {
  return replyCode === 535 && status !== "5.7.139";
}
