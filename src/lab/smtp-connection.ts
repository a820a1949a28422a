import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { TLSSocket } from "node:tls";
import type { SecureContext } from "node:tls";
import { SmtpReader } from "./smtp-reader.ts";

/** Bytes that are no reply, whatever the client makes of them. */
const GARBAGE = Buffer.from("\u0000\u0015\u0003\u0001 ?garbage?\r\n2x0 \u00ff\u00fe\r\n", "latin1");

/** The bytes of one SMTP connection, in clear and then, after `startTls`, in TLS. */
export class SmtpConnection {
  readonly #gone = new AbortController();
  #socket: Socket;
  #reader: SmtpReader;

  constructor(socket: Socket) {
    socket.setNoDelay(true);
    // A reset by the client is an end like any other.
    socket.on("error", () => {});
    socket.once("close", () => this.#gone.abort());
    this.#socket = socket;
    this.#reader = new SmtpReader(socket);
  }

  get reader(): SmtpReader {
    return this.#reader;
  }

  /** Writes a reply, whose lines are joined by LF or CRLF. */
  write(reply: string): void {
    if (this.#socket.writable) this.#socket.write(`${reply.replaceAll(/\r?\n/g, "\r\n")}\r\n`);
  }

  writeGarbage(): void {
    if (this.#socket.writable) this.#socket.write(GARBAGE);
  }

  /** Waits; the end of the connection cuts it short. */
  async sleep(delayMs: number): Promise<void> {
    if (delayMs > 0) await delay(delayMs, undefined, { signal: this.#gone.signal }).catch(() => {});
  }

  /** Does the handshake. What the client sent before it is forgotten (RFC 3207 4.2). False: it failed. */
  async startTls(context: SecureContext): Promise<boolean> {
    this.#reader.detach();
    const secure = new TLSSocket(this.#socket, { isServer: true, secureContext: context });
    this.#socket = secure;
    const established = await new Promise<boolean>((resolve) => {
      secure.once("secure", () => resolve(true));
      secure.once("close", () => resolve(false));
      secure.on("error", () => resolve(false));
    });
    this.#reader = new SmtpReader(secure);
    return established;
  }

  /** Leaves what the client sends unread, which fills its window, as with a server that hangs. */
  stopReading(): void {
    this.#socket.pause();
  }

  /** Hangs up in the middle of things. */
  drop(): void {
    this.#socket.destroy();
  }

  /** Hangs up once everything is written. */
  end(): void {
    this.#socket.end();
  }

  /** Resolves when the connection is closed. */
  async closed(): Promise<void> {
    if (this.#gone.signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#gone.signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}
