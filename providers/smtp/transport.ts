import { isAscii } from "node:buffer";
import { createSecureContext, rootCertificates } from "node:tls";
import type { SecureContext, SecureVersion } from "node:tls";
import { classify } from "../../src/core/index.ts";
import type {
  Evidence,
  Failure,
  Outcome,
  Rule,
  SendOptions,
  Stage,
  Transmission,
  Verification,
} from "../../src/core/index.ts";
import type { SmtpTimeouts } from "../settings.ts";
import { Attempt } from "./attempt.ts";
import { SmtpConnection } from "./connection.ts";
import type { Transacted } from "./connection.ts";
import type { CredentialsSource } from "./credentials.ts";
import type { TlsMode } from "./dial.ts";
import { interruptionEvidence } from "./evidence.ts";
import { allRefused, failed, outcomeOf, refusalsOf } from "./outcome.ts";
import { ConnectionPool } from "./pool.ts";
import type { PoolOptions } from "./pool.ts";
import { writeEnvelope } from "./wire-envelope.ts";
import type { WireEnvelope } from "./wire-envelope.ts";

export type SmtpTransportOptions = PoolOptions & {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMode;
  /** PEM certificates of authorities trusted beside those of Node; null: none. */
  readonly ca: string | null;
  readonly minTlsVersion: SecureVersion;
  /** Name the certificate must be for; null: the host. */
  readonly servername: string | null;
  /** Name for EHLO; null: the name of this machine. */
  readonly ehloName: string | null;
  /** Null: the server is used without signing in. Asked once for each new connection. */
  readonly credentials: CredentialsSource | null;
  /**
   * Told when the server refused the credentials. True: `credentials` has fresh ones, so that connecting and signing in
   * is tried once more within the attempt.
   */
  readonly onAuthRejected?: (evidence: Evidence) => Promise<boolean>;
  readonly rules: readonly Rule[];
  readonly timeouts: SmtpTimeouts;
};

type Connected =
  | { readonly ok: true; readonly connection: SmtpConnection }
  /** `evidence` is null where there were no credentials. */
  | { readonly ok: false; readonly failure: Failure; readonly evidence: Evidence | null };

/** The connection that an attempt holds at the moment. */
type Holder = { connection: SmtpConnection | null };

/**
 * Hands messages to one SMTP server over pooled connections. Stages `queue`, `dns` to `reply`, and what the credentials'
 * source reports; they begin anew where a connection is replaced within the attempt.
 */
export class SmtpTransport {
  readonly #options: SmtpTransportOptions;
  readonly #rules: readonly Rule[];
  readonly #secureContext: SecureContext;
  readonly #pool: ConnectionPool;
  readonly #attempts = new Map<Attempt, Promise<unknown>>();
  #closed = false;

  constructor(options: SmtpTransportOptions) {
    this.#options = options;
    this.#rules = options.rules;
    this.#secureContext = createSecureContext({
      minVersion: options.minTlsVersion,
      ...(options.ca === null ? {} : { ca: [...rootCertificates, options.ca] }),
    });
    this.#pool = new ConnectionPool(options);
  }

  /** Makes one attempt with this message as it is, for these recipients. */
  send(transmission: Transmission, options: SendOptions): Promise<Outcome> {
    return this.#attempt(options, (attempt) => this.#send(transmission, attempt));
  }

  /**
   * Connects, signs in and asks for a sign of life over a connection of its own, beside those of the pool, so that busy
   * ones do not keep it waiting.
   */
  verify(options: SendOptions): Promise<Verification> {
    const stages: Stage[] = [];
    const onStage = (stage: Stage): void => {
      stages.push(stage);
      options.onStage(stage);
    };
    return this.#attempt({ signal: options.signal, onStage }, async (attempt) => {
      attempt.startClock(this.#options.timeouts.totalMs);
      const connected = await this.#connect(attempt);
      if (!connected.ok) return { ok: false, stages, failure: connected.failure };
      const evidence = await connected.connection.check(attempt);
      await connected.connection.quit();
      return evidence === null ? { ok: true, stages } : { ok: false, stages, failure: this.#classify(evidence) };
    });
  }

  /** Aborts attempts under way, ends all connections and resolves when they are closed. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const attempt of this.#attempts.keys()) attempt.stop(CLOSED);
    await Promise.allSettled(this.#attempts.values());
    await this.#pool.close();
  }

  async #attempt<T>(options: SendOptions, work: (attempt: Attempt) => Promise<T>): Promise<T> {
    const attempt = new Attempt(options);
    if (this.#closed) attempt.stop(CLOSED);
    const working = work(attempt);
    this.#attempts.set(attempt, working);
    try {
      return await working;
    } finally {
      attempt.end();
      this.#attempts.delete(attempt);
    }
  }

  async #send(transmission: Transmission, attempt: Attempt): Promise<Outcome> {
    const slot = await this.#pool.acquire(attempt.signal, attempt.onStage);
    if (slot === null) return failed(this.#classify(interruptionEvidence(attempt.signal.reason, "queue")));
    attempt.startClock(this.#options.timeouts.totalMs);
    const holder: Holder = { connection: slot.connection };
    try {
      return await this.#relay(transmission, holder, attempt);
    } catch (error) {
      holder.connection?.destroy();
      throw error;
    } finally {
      this.#pool.release(holder.connection);
    }
  }

  async #relay(transmission: Transmission, holder: Holder, attempt: Attempt): Promise<Outcome> {
    if (holder.connection !== null) {
      const outcome = await this.#transact(transmission, holder.connection, attempt, true);
      if (outcome !== "stale") return outcome;
      holder.connection.destroy();
      holder.connection = null;
    }
    const connected = await this.#connect(attempt);
    if (!connected.ok) return failed(connected.failure);
    holder.connection = connected.connection;
    const outcome = await this.#transact(transmission, connected.connection, attempt, false);
    if (outcome === "stale") throw new Error("a new connection cannot be stale");
    return outcome;
  }

  /** `stale`: a connection that was kept turned out to have been closed by the server meanwhile. */
  async #transact(
    { message, recipients }: Transmission,
    connection: SmtpConnection,
    attempt: Attempt,
    kept: boolean,
  ): Promise<Outcome | "stale"> {
    const { smtpUtf8, maxMessageBytes } = connection.extensions;
    if (maxMessageBytes !== null && message.mime.length > maxMessageBytes) {
      attempt.onStage("mail");
      const text = `the message has ${message.mime.length} bytes, the server takes ${maxMessageBytes}`;
      return failed(this.#classify({ stage: "mail", status: "5.3.4", text }));
    }
    const wire = writeEnvelope(message.envelope.mailFrom, recipients, smtpUtf8);
    if (!isWritten(wire)) {
      attempt.onStage("mail");
      return failed(this.#classify(wire));
    }
    if (wire.recipients.length === 0) {
      attempt.onStage("mail");
      return allRefused(refusalsOf(this.#rules, wire));
    }
    const flags = { use8BitMime: !isAscii(message.mime) };
    const transacted = await connection.send(wire.envelope, message.mime, flags, attempt);
    return kept && wasClosedBefore(transacted) ? "stale" : outcomeOf(this.#rules, wire, transacted);
  }

  async #connect(attempt: Attempt): Promise<Connected> {
    const first = await this.#connectOnce(attempt);
    const { onAuthRejected } = this.#options;
    if (first.ok || onAuthRejected === undefined) return first;
    const { evidence } = first;
    if (evidence === null || evidence.stage !== "auth" || evidence.replyCode === undefined) return first;
    return (await attempt.untilStopped(onAuthRejected(evidence))) === true ? this.#connectOnce(attempt) : first;
  }

  async #connectOnce(attempt: Attempt): Promise<Connected> {
    const { credentials, ehloName, host, port, tls, servername, timeouts } = this.#options;
    // Before connecting: a server would give up on us while a token is being fetched.
    const given = credentials === null ? null : await attempt.untilStopped(credentials(attempt));
    if (attempt.signal.aborted) return this.#unconnected(interruptionEvidence(attempt.signal.reason, attempt.stage));
    if (given?.kind === "none") return { ok: false, failure: given.failure, evidence: null };
    const target = { host, port, tls, secureContext: this.#secureContext, servername, name: ehloName, timeouts };
    const opened = await SmtpConnection.open(target, attempt);
    if (!opened.ok) return this.#unconnected(opened.evidence);
    const refusal = given === null ? null : await opened.connection.login(given, attempt);
    return refusal === null ? { ok: true, connection: opened.connection } : this.#unconnected(refusal);
  }

  #unconnected(evidence: Evidence): Connected {
    return { ok: false, failure: this.#classify(evidence), evidence };
  }

  #classify(evidence: Evidence): Failure {
    return classify(this.#rules, evidence);
  }
}

const CLOSED = { errorCode: "ABORTED", text: "the provider was closed" } as const;

function isWritten(wire: WireEnvelope | Evidence): wire is WireEnvelope {
  return "envelope" in wire;
}

/** Whether the server had closed a kept connection, or was about to, before it said anything about this transaction. */
function wasClosedBefore(transacted: Transacted): boolean {
  if (transacted.ok) return false;
  const { evidence, answered } = transacted;
  if (evidence.replyCode === 421) return evidence.stage === "mail";
  const stopped = evidence.errorCode === "ABORTED" || evidence.errorCode === "ETIMEDOUT";
  return !answered && !stopped && evidence.replyCode === undefined;
}
