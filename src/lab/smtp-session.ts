import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import type { SmtpFault, SmtpPoint } from "./fault.ts";
import type { FaultSwitch } from "./fault-switch.ts";
import { parseCommand, withoutSecret } from "./smtp-command.ts";
import { SmtpConnection } from "./smtp-connection.ts";
import { parsePath } from "./smtp-path.ts";
import type { SmtpPolicy, SmtpState, Transaction } from "./smtp-policy.ts";
import { decodeSasl } from "./smtp-sasl.ts";
import { signIn } from "./smtp-sign-in.ts";
import { pauseMs, replyDelayMs, strikeAt } from "./smtp-strike.ts";
import type { SmtpStrike } from "./smtp-strike.ts";

export type SmtpTls =
  | { readonly mode: "none" }
  | { readonly mode: "starttls" | "implicit"; readonly context: SecureContext };

export type SmtpSessionOptions = {
  readonly connection: number;
  readonly policy: SmtpPolicy;
  readonly faults: FaultSwitch<SmtpFault>;
  readonly tls: SmtpTls;
  /** Connections open on the server now, this one included. */
  readonly connections: () => number;
  readonly onAccepted: (transaction: Transaction, remoteId: string, state: SmtpState) => void;
  readonly onLine: (from: "client" | "server", text: string) => void;
};

/** How the connection goes on after a step. */
type Next = "continue" | "content" | "tls" | "hangup" | "silent";

type Answer = { readonly reply: string; readonly next?: Next };

/** One SMTP connection, from its greeting to its end. Commands are answered one after the other, in order. */
export class SmtpSession {
  readonly #options: SmtpSessionOptions;
  readonly #wire: SmtpConnection;
  #state: SmtpState;
  #extensions: readonly string[] = [];
  #mailFrom: string | null = null;
  #rcptTo: string[] = [];
  #chunks: Buffer[] = [];

  constructor(socket: Socket, options: SmtpSessionOptions) {
    this.#options = options;
    this.#state = { connection: options.connection, secure: false, hello: null, user: null };
    this.#wire = new SmtpConnection(socket);
  }

  /** Resolves when the connection has ended. */
  async run(): Promise<void> {
    let next = await this.#open();
    while (next !== "hangup" && next !== "silent") {
      if (next === "content") next = await this.#receiveContent();
      else if (next === "tls") next = await this.#upgrade();
      else next = await this.#command();
    }
    if (next === "hangup") this.#wire.end();
    await this.#wire.closed();
    this.#options.policy.ended?.(this.#state);
  }

  async #open(): Promise<Next> {
    const fault = strikeAt(this.#options.faults, "connect");
    if (fault !== null) return this.#misbehave(fault);
    if (this.#options.tls.mode === "implicit") {
      const next = await this.#upgrade();
      if (next !== "continue") return next;
    }
    return this.#step("greeting", () => {
      const reply = this.#options.policy.greeting(this.#options.connections());
      return { reply, next: saysYes(reply) ? "continue" : "hangup" };
    });
  }

  async #command(): Promise<Next> {
    const line = await this.#wire.reader.readLine();
    if (line === null) return "hangup";
    this.#options.onLine("client", withoutSecret(line));
    const { verb, argument } = parseCommand(line);
    switch (verb) {
      case "EHLO":
      case "HELO":
        return this.#step("ehlo", () => this.#hello(verb, argument.trim()));
      case "STARTTLS":
        return this.#step("starttls", () => this.#startTls());
      case "AUTH":
        return this.#step("auth", () => this.#authenticate(argument));
      case "MAIL":
        return this.#step("mail", () => this.#mail(argument));
      case "RCPT":
        return this.#step("rcpt", () => this.#rcpt(argument), argument);
      case "DATA":
        return this.#step("data", () => this.#data());
      case "BDAT":
        return this.#bdat(argument);
      case "RSET":
        return this.#step("rset", () => {
          this.#reset();
          return { reply: this.#options.policy.reset };
        });
      case "NOOP":
        return this.#step("noop", () => ({ reply: this.#options.policy.noop }));
      case "QUIT":
        return this.#step("quit", () => ({ reply: this.#options.policy.goodbye, next: "hangup" }));
      case "VRFY":
      case "EXPN":
      case "HELP":
        return this.#say("502 5.5.1 Command not implemented");
      default:
        return this.#say("500 5.5.2 Command not recognized");
    }
  }

  #hello(command: "EHLO" | "HELO", name: string): Answer {
    if (name === "") return { reply: `501 5.5.4 Syntax: ${command} hostname` };
    const { policy, tls } = this.#options;
    this.#reset();
    this.#state = { ...this.#state, hello: name };
    const first = policy.helloLine(name);
    if (command === "HELO") return { reply: `250 ${first}` };
    const mechanisms = policy.mechanisms(this.#state);
    this.#extensions = [
      ...policy.extensions(this.#state),
      ...(tls.mode === "starttls" && !this.#state.secure ? ["STARTTLS"] : []),
      ...(mechanisms.length === 0 ? [] : [`AUTH ${mechanisms.join(" ")}`]),
    ];
    const lines = [first, ...this.#extensions];
    return { reply: lines.map((line, index) => `250${index === lines.length - 1 ? " " : "-"}${line}`).join("\n") };
  }

  #startTls(): Answer {
    if (this.#options.tls.mode !== "starttls") return { reply: "502 5.5.1 Command not implemented" };
    if (this.#state.secure) return { reply: "503 5.5.1 TLS is already active" };
    return { reply: "220 2.0.0 SMTP server ready", next: "tls" };
  }

  async #authenticate(argument: string): Promise<Answer> {
    const { reply, user } = await signIn(argument, this.#state, this.#options.policy, (text) => this.#challenge(text));
    this.#state = { ...this.#state, user };
    return { reply };
  }

  async #challenge(text: string): Promise<string | null> {
    await this.#say(`334 ${Buffer.from(text).toString("base64")}`);
    const line = await this.#wire.reader.readLine();
    if (line !== null) this.#options.onLine("client", "***");
    return line === null || line === "*" ? null : decodeSasl(line);
  }

  #mail(argument: string): Answer {
    if (this.#state.hello === null) return { reply: "503 5.5.1 Send EHLO first" };
    if (this.#mailFrom !== null) return { reply: "503 5.5.1 Sender already given" };
    const path = parsePath(argument, "FROM", this.#extensions);
    if (typeof path === "string") return { reply: path };
    const size = path.parameters.get("SIZE");
    const reply = this.#options.policy.mail(path.address, size === undefined ? null : Number(size), this.#state);
    if (saysYes(reply)) this.#mailFrom = path.address;
    return { reply };
  }

  #rcpt(argument: string): Answer {
    if (this.#mailFrom === null) return { reply: "503 5.5.1 Need MAIL before RCPT" };
    const path = parsePath(argument, "TO", this.#extensions);
    if (typeof path === "string") return { reply: path };
    const reply = this.#options.policy.rcpt(path.address, this.#rcptTo.length, this.#state);
    if (saysYes(reply)) this.#rcptTo.push(path.address);
    return { reply };
  }

  #data(): Answer {
    if (this.#mailFrom === null) return { reply: "503 5.5.1 Need MAIL before DATA" };
    if (this.#rcptTo.length === 0) return { reply: "554 5.5.1 No valid recipients" };
    return { reply: this.#options.policy.startContent, next: "content" };
  }

  async #receiveContent(): Promise<Next> {
    if (!(await this.#wire.reader.waitForInput())) return "hangup";
    const fault = await this.#strikeContent();
    const next = fault === null ? "continue" : await this.#misbehave(fault);
    if (next !== "continue") return next;
    const received = await this.#wire.reader.readContent(this.#options.policy.maxBytes);
    if (received === null) return "hangup";
    this.#options.onLine("client", `<content, ${received.sizeBytes} bytes>`);
    if (fault === null) return this.#finish(received.content, received.sizeBytes);
    this.#reset();
    return "continue";
  }

  /** A chunk of content by its size (RFC 3030). */
  async #bdat(argument: string): Promise<Next> {
    const match = /^(\d{1,10})( LAST)?$/i.exec(argument.trim());
    if (match === null || !this.#extensions.includes("CHUNKING"))
      return this.#say("501 5.5.4 Syntax: BDAT size [LAST]");
    const fault = await this.#strikeContent();
    const next = fault === null ? "continue" : await this.#misbehave(fault);
    if (next !== "continue") return next;
    const chunk = await this.#wire.reader.readBytes(Number(match[1]));
    if (chunk === null) return "hangup";
    if (fault !== null) return "continue";
    if (this.#mailFrom === null || this.#rcptTo.length === 0)
      return this.#say("503 5.5.1 Need MAIL and RCPT before BDAT");
    this.#chunks.push(chunk);
    if (match[2] === undefined) return this.#say(`250 2.0.0 ${chunk.length} bytes received`);
    const content = Buffer.concat(this.#chunks);
    return this.#finish(content, content.length);
  }

  #finish(content: Buffer, sizeBytes: number): Promise<Next> {
    const transaction = { mailFrom: this.#mailFrom ?? "", rcptTo: this.#rcptTo, content, sizeBytes };
    this.#reset();
    return this.#step("dot", async () => {
      const { reply, remoteId, delayMs = 0 } = this.#options.policy.content(transaction, this.#state);
      if (saysYes(reply)) this.#options.onAccepted(transaction, remoteId, this.#state);
      await this.#wire.sleep(delayMs);
      return { reply };
    });
  }

  async #upgrade(): Promise<Next> {
    const { tls, faults } = this.#options;
    if (tls.mode === "none") return "hangup";
    await this.#wire.sleep(pauseMs(faults, "tls"));
    const fault = strikeAt(faults, "tls");
    if (fault !== null) return this.#misbehave(fault);
    this.#reset();
    this.#state = { connection: this.#state.connection, secure: true, hello: null, user: null };
    this.#extensions = [];
    return (await this.#wire.startTls(tls.context)) ? "continue" : "hangup";
  }

  /** Answers at a point, in its own way or as a fault wants it. Delays come before the reply, after its effect. */
  async #step(point: SmtpPoint, answer: () => Answer | Promise<Answer>, argument = ""): Promise<Next> {
    const fault = strikeAt(this.#options.faults, point, argument);
    if (fault === null) {
      const { reply, next = "continue" } = await answer();
      await this.#say(reply, point);
      return next;
    }
    if (fault.kind === "reply" && saysYes(fault.text)) {
      const { next = "continue" } = await answer();
      await this.#say(fault.text, point);
      return fault.close === true ? "hangup" : next;
    }
    if ("accepted" in fault && fault.accepted === true) await answer();
    return this.#misbehave(fault, point);
  }

  async #misbehave(fault: SmtpStrike, point?: SmtpPoint): Promise<Next> {
    switch (fault.kind) {
      case "silence":
        if (fault.at === "content") this.#wire.stopReading();
        return "silent";
      case "drop":
        this.#wire.drop();
        return "silent";
      case "garbage":
        this.#options.onLine("server", "<garbage>");
        this.#wire.writeGarbage();
        return "continue";
      case "reply":
        await this.#say(fault.text, point);
        return fault.close === true ? "hangup" : "continue";
    }
  }

  async #strikeContent(): Promise<SmtpStrike | null> {
    await this.#wire.sleep(pauseMs(this.#options.faults, "content"));
    return strikeAt(this.#options.faults, "content");
  }

  async #say(reply: string, point?: SmtpPoint): Promise<"continue"> {
    await this.#wire.sleep(replyDelayMs(this.#options.faults, point));
    this.#options.onLine("server", reply);
    this.#wire.write(reply);
    return "continue";
  }

  #reset(): void {
    this.#mailFrom = null;
    this.#rcptTo = [];
    this.#chunks = [];
  }
}

function saysYes(reply: string): boolean {
  return /^[23]/.test(reply);
}
