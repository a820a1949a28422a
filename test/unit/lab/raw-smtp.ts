import { connect } from "node:net";
import type { Socket } from "node:net";

/** A bare SMTP client for tests: writes bytes and waits for whole replies. */
export class RawSmtp {
  readonly socket: Socket;
  #received = "";
  #ended = false;
  #wake: () => void = () => {};

  static open(port: number): RawSmtp {
    return new RawSmtp(connect(port, "127.0.0.1"));
  }

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#received += text;
      this.#wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#ended = true;
      this.#wake();
    });
  }

  write(text: string): void {
    this.socket.write(text);
  }

  /** Writes a line and returns the reply to it; null where the server hung up instead. */
  async ask(line: string): Promise<string | null> {
    this.write(`${line}\r\n`);
    return this.reply();
  }

  /** The next whole reply, lines joined by LF. */
  async reply(): Promise<string | null> {
    for (;;) {
      const match = /^(?:\d{3}-[^\n]*\r\n)*\d{3} [^\n]*\r\n/.exec(this.#received);
      if (match !== null) {
        this.#received = this.#received.slice(match[0].length);
        return match[0].trimEnd().replaceAll("\r\n", "\n");
      }
      if (this.#ended) return null;
      await this.#change();
    }
  }

  /** What has come and is no reply (yet). */
  get received(): string {
    return this.#received;
  }

  /** Resolves when the server has hung up. */
  async ended(): Promise<void> {
    while (!this.#ended) await this.#change();
  }

  close(): void {
    this.socket.destroy();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
