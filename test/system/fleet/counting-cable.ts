import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

const LINE_FEED = 10;

/** The workers' way to Redis, which counts the commands that they send. A script is one command, whatever it does. */
export class CountingCable {
  commandCount = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(farPort: number) {
    this.#server = createServer((near) => this.#join(near, farPort));
  }

  static async lay(farPort: number): Promise<CountingCable> {
    const cable = new CountingCable(farPort);
    cable.#server.listen(0, "127.0.0.1");
    await once(cable.#server, "listening");
    return cable;
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(near: Socket, farPort: number): void {
    const far = connect(farPort, "127.0.0.1");
    const counter = new CommandCounter(() => (this.commandCount += 1));
    near.on("data", (bytes) => counter.read(bytes));
    this.#follow(near, far);
    this.#follow(far, near);
  }

  #follow(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on("data", (bytes) => to.write(bytes));
    from.on("error", () => undefined);
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}

/** Finds the beginnings of commands in what a client sends: an array of bulk strings each, `*2 $3 GET $1 x`. */
class CommandCounter {
  readonly #onCommand: () => void;
  #line = "";
  /** Bytes of a bulk string that are still to come, with its line end. */
  #leftBytes = 0;

  constructor(onCommand: () => void) {
    this.#onCommand = onCommand;
  }

  read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      const skipped = Math.min(this.#leftBytes, bytes.length - at);
      this.#leftBytes -= skipped;
      at += skipped;
      if (at === bytes.length) return;
      const end = bytes.indexOf(LINE_FEED, at);
      this.#line += bytes.toString("latin1", at, end < 0 ? bytes.length : end);
      if (end < 0) return;
      this.#header(this.#line);
      this.#line = "";
      at = end + 1;
    }
  }

  #header(line: string): void {
    if (line.startsWith("*")) this.#onCommand();
    if (line.startsWith("$")) this.#leftBytes = Number.parseInt(line.slice(1), 10) + 2;
  }
}
