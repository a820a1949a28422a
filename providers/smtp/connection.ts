import type { Socket } from "node:net";
import type SMTPConnection from "nodemailer/lib/smtp-connection";
import type { Envelope, Evidence, SendOptions } from "../../src/core/index.ts";
import { createClient, loginOf, noop } from "./client.ts";
import type { ConnectionOptions } from "./client.ts";
import { Content } from "./content.ts";
import { redact, secretForms } from "./credentials.ts";
import type { Credentials } from "./credentials.ts";
import { dial } from "./dial.ts";
import { Dialogue } from "./dialogue.ts";
import type { Command, Extensions, RefusedRecipient } from "./dialogue.ts";
import { evidenceOf, interruptionEvidence } from "./evidence.ts";
import { StageWatch } from "./stage-watch.ts";

export type Opened =
  | { readonly ok: true; readonly connection: SmtpConnection }
  | { readonly ok: false; readonly evidence: Evidence };

/** What became of one transaction. `refused` are the recipients refused at RCPT, by their place. */
export type Transacted = { readonly refused: readonly RefusedRecipient[] } & (
  | { readonly ok: true; readonly reply: string }
  | { readonly ok: false; readonly evidence: Evidence; readonly answered: boolean }
);

type Done = (error: Error | null, value?: string) => void;

/** An attempt that the caller stops at the last moment, before the content may be out. */
const NOT_COMMITTED = { errorCode: "ABORTED", text: "the attempt was stopped before the end of its content" } as const;

/** The answer to QUIT is a courtesy. */
const QUIT_LIMIT_MS = 1_000;

/**
 * One connection to an SMTP server, over nodemailer's protocol client, with stages and time limits of our own.
 *
 * Stages up to `tls` are ours (dial.ts), those of commands are read off the transaction log as lines go out and come
 * in (dialogue.ts), and those of the content off the stream (content.ts). The answer to EHLO after STARTTLS belongs to
 * stage `starttls`, so that stages of a connection never go back.
 */
export class SmtpConnection {
  /** Called once when the connection ended while nothing was under way: the server closed it. */
  onIdleClose: () => void = () => {};
  /** Transactions that ended with the server's acceptance. */
  messageCount = 0;
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #watch: StageWatch;
  readonly #dialogue: Dialogue;
  readonly #smtp: SMTPConnection;
  #secrets: readonly string[] = [];
  #settle: ((failure: Evidence | null, value?: string) => void) | null = null;
  #destroyed = false;
  /** Whether the server may still hold an envelope that failed, and must be told RSET before the next one. */
  #transactionOpen = false;

  /** Connects, reads the greeting and says EHLO, with STARTTLS where it is due. Does not sign in. */
  static async open(options: ConnectionOptions, { signal, onStage }: SendOptions): Promise<Opened> {
    const watch = new StageWatch("dns", onStage);
    const dialled = await dial(options, watch, signal);
    if (!dialled.ok) return dialled;
    const connection = new SmtpConnection(options, dialled.socket, watch);
    const evidence = await connection.#greet(signal);
    return evidence === null ? { ok: true, connection } : { ok: false, evidence };
  }

  private constructor(options: ConnectionOptions, socket: Socket, watch: StageWatch) {
    this.#options = options;
    this.#socket = socket;
    this.#watch = watch;
    this.#watch.onOverdue = (text) => this.#fail({ stage: watch.stage, errorCode: "ETIMEDOUT", text });
    this.#dialogue = new Dialogue({
      onMove: (next, answered) => this.#move(next, answered),
      onGarbage: (answered) =>
        this.#fail({
          stage: answered?.stage ?? watch.stage,
          errorCode: "EPROTOCOL",
          text: "the server sent something that is no SMTP reply",
        }),
    });
    this.#smtp = createClient(options, socket, this.#dialogue.logger);
    this.#smtp.on("error", (error: unknown) => this.#fail(this.#evidence(error)));
    // A turn later: nodemailer closes before it hands over the error that tells why.
    const onEnd = (): void => {
      setImmediate(() =>
        this.#fail({ stage: watch.stage, errorCode: "ECONNRESET", text: "the server closed the connection" }),
      );
    };
    this.#smtp.on("end", onEnd);
    socket.once("close", onEnd);
  }

  /** Whether nobody can use it any more. */
  get destroyed(): boolean {
    return this.#destroyed;
  }

  /** What the server offers. */
  get extensions(): Extensions {
    return this.#dialogue.extensions;
  }

  /** Signs in. Null: it worked. */
  async login(credentials: Credentials, { signal, onStage }: SendOptions): Promise<Evidence | null> {
    this.#watch.onStage = onStage;
    this.#secrets = secretForms(credentials);
    this.#watch.begin("auth", this.#commandLimit("AUTH"));
    const refusal = this.#loginRefusal();
    if (refusal !== null) {
      this.destroy();
      return { stage: "auth", errorCode: "EAUTH", text: refusal };
    }
    this.#dialogue.authenticating = true;
    const evidence = await this.#run(signal, (done) => this.#smtp.login(loginOf(credentials), (error) => done(error)));
    this.#dialogue.authenticating = false;
    if (evidence.failure !== null) this.destroy();
    return evidence.failure;
  }

  /** Asks the server for a sign of life (NOOP). Null: it gave one. */
  async check({ signal, onStage }: SendOptions): Promise<Evidence | null> {
    this.#watch.onStage = onStage;
    const { failure } = await this.#run(signal, (done) => noop(this.#smtp, (error) => done(error)));
    // A refusal says that the session does not work. The credentials, of the stage before, have been taken.
    return failure?.replyCode === undefined ? failure : { ...failure, stage: "ehlo" };
  }

  /** Makes one transaction. A connection that is not `destroyed` after it can make another one. */
  async send(
    envelope: Envelope,
    mime: Buffer,
    flags: { use8BitMime: boolean },
    options: SendOptions,
  ): Promise<Transacted> {
    this.#watch.onStage = options.onStage;
    this.#dialogue.beginTransaction();
    this.#watch.restart("mail", this.#commandLimit("MAIL FROM"));
    if (this.#transactionOpen) {
      const { failure } = await this.#run(options.signal, (done) => this.#smtp.reset((error) => done(error)));
      if (failure !== null) return this.#failed(failure);
      this.#dialogue.beginTransaction();
    }
    this.#transactionOpen = true;
    const content = new Content(mime, {
      onBegin: () => {
        this.#begin("content");
        this.#joinWrites();
      },
      commit: () => this.#committed(options),
      onProgress: () => this.#watch.progress(),
      onDot: () => this.#begin("reply"),
    });
    const { failure, value } = await this.#run(options.signal, (done) =>
      this.#smtp.send(
        { from: envelope.mailFrom, to: [...envelope.rcptTo], size: mime.length, use8BitMime: flags.use8BitMime },
        content,
        (error, info) => done(error, info?.response),
      ),
    );
    if (failure !== null) return this.#failed(failure);
    if (this.#watch.stage !== "reply") {
      this.destroy();
      const text = `answered before the end of the content: ${value ?? ""}`;
      return this.#failed({ stage: this.#watch.stage, errorCode: "EPROTOCOL", text });
    }
    this.#transactionOpen = false;
    this.messageCount += 1;
    return { ok: true, reply: redact(value ?? "", this.#secrets), refused: this.#refused() };
  }

  /** Asks whether the content may go out whole; where it may not, the attempt ends here. */
  async #committed({ commit }: SendOptions): Promise<boolean> {
    const allowed = await (commit ?? unasked)().catch(() => false);
    if (!allowed) this.#fail({ stage: this.#watch.stage, ...NOT_COMMITTED });
    return allowed;
  }

  /** Ends it politely. Resolves when it is closed; the server gets a second to answer. */
  async quit(): Promise<void> {
    if (this.#destroyed) return;
    const impatient = AbortSignal.timeout(QUIT_LIMIT_MS);
    await this.#run(impatient, () => this.#smtp.quit());
    this.destroy();
  }

  /** Ends it at once. */
  destroy(): void {
    this.#destroyed = true;
    this.#watch.rest();
    this.#smtp.close();
    this.#socket.destroy();
  }

  async #greet(signal: AbortSignal): Promise<Evidence | null> {
    const { greetingMs } = this.#options.timeouts;
    this.#watch.begin("greeting", { ms: greetingMs, awaited: "greeting" });
    const { failure } = await this.#run(signal, (done) => this.#smtp.connect((error) => done(error ?? null)));
    if (failure !== null) this.destroy();
    return failure;
  }

  /** Why this connection must not be signed in on, or null. */
  #loginRefusal(): string | null {
    if (this.#options.tls === "optional" && !this.#smtp.secure) {
      return "the server offers no encryption, and credentials are not sent without it; tls: none would allow it";
    }
    return this.#smtp.allowsAuth ? null : "the server offers no AUTH";
  }

  /** Runs one operation of nodemailer until it, an error, a limit or the signal ends it. */
  #run(signal: AbortSignal, start: (done: Done) => void): Promise<{ failure: Evidence | null; value?: string }> {
    return new Promise((resolve) => {
      const settle = (failure: Evidence | null, value?: string): void => {
        if (this.#settle !== settle) return;
        this.#settle = null;
        signal.removeEventListener("abort", onAbort);
        this.#watch.rest();
        resolve(value === undefined ? { failure } : { failure, value });
      };
      const onAbort = (): void => this.#fail(interruptionEvidence(signal.reason, this.#watch.stage));
      this.#settle = settle;
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      start((error, value) => settle(error === null ? null : this.#evidence(error), value));
    });
  }

  #failed(evidence: Evidence): Transacted {
    // Half of the content is out: whatever is written next would be taken for the rest of it.
    if (evidence.stage === "content" || this.#watch.stage === "content") this.destroy();
    // Where MAIL was refused, the answers to RCPT only say that there was no MAIL.
    const refused = evidence.stage === "mail" ? [] : this.#refused();
    return { ok: false, evidence, refused, answered: this.#dialogue.replyCount > 0 };
  }

  /** Recipients refused in this transaction, in replies that may repeat what the server was told. */
  #refused(): readonly RefusedRecipient[] {
    return this.#dialogue.refused.map(({ index, reply }) => ({
      index,
      reply: { ...reply, text: redact(reply.text, this.#secrets) },
    }));
  }

  /** The connection is lost, or given up: the operation under way fails with this. */
  #fail(evidence: Evidence): void {
    if (this.#destroyed) return this.#settle?.(evidence);
    this.destroy();
    if (this.#settle === null) this.onIdleClose();
    else this.#settle(evidence);
  }

  #evidence(error: unknown): Evidence {
    // An error without a command of its own, but with a reply (421), belongs to the command that the reply answered.
    const answered = hasReply(error) ? this.#dialogue.lastAnswered?.stage : undefined;
    return evidenceOf(error, answered ?? this.#watch.stage, this.#secrets);
  }

  #move(next: Command | null, answered: Command | null): void {
    if (this.#settle === null) return;
    if (next !== null) {
      // EHLO is said again after STARTTLS, within that stage.
      const stage = this.#watch.stage === "starttls" && next.stage === "ehlo" ? null : next.stage;
      this.#watch.begin(stage ?? this.#watch.stage, this.#commandLimit(next.verb));
    } else if (answered?.verb === "STARTTLS") {
      this.#watch.begin("starttls", { ms: this.#options.timeouts.tlsMs, awaited: "end of the TLS handshake" });
    }
  }

  #begin(stage: "content" | "reply"): void {
    if (this.#settle === null || this.#watch.stage === stage) return;
    const { contentMs, contentReplyMs } = this.#options.timeouts;
    if (stage === "content") this.#watch.begin(stage, { ms: contentMs, awaited: "progress in writing the content" });
    else this.#watch.begin(stage, { ms: contentReplyMs, awaited: "answer to the end of the content" });
  }

  /** Small content and its final dot leave in one segment, not in two: what this turn writes is held until its end. */
  #joinWrites(): void {
    const socket = this.#smtp._socket;
    if (!socket) return;
    socket.cork();
    setImmediate(() => socket.uncork());
  }

  #commandLimit(verb: string): { ms: number; awaited: string } {
    return { ms: this.#options.timeouts.commandMs, awaited: `answer to ${COMMAND_NAMES[verb] ?? verb}` };
  }
}

const COMMAND_NAMES: Readonly<Record<string, string>> = { MAIL: "MAIL FROM", RCPT: "RCPT TO" };

function hasReply(error: unknown): boolean {
  return typeof error === "object" && error !== null && "response" in error && typeof error.response === "string";
}

/** Where nobody asks to be asked. */
async function unasked(): Promise<boolean> {
  return true;
}
