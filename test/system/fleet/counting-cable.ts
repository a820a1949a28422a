import { Cable } from "../../../bench/chaos/cable.ts";

const LINE_FEED = 10;

/** The workers' way to Redis, which counts the commands that they send. A script is one command, whatever it does. */
export class CountingCable {
  commandCount = 0;
  #cable: Cable | null = null;

  static async lay(farPort: number): Promise<CountingCable> {
    const counting = new CountingCable();
    counting.#cable = await Cable.lay(farPort, () => {
      const counter = new CommandCounter(() => (counting.commandCount += 1));
      return (bytes) => counter.read(bytes);
    });
    return counting;
  }

  get url(): string {
    return this.#cable?.url ?? "";
  }

  async close(): Promise<void> {
    await this.#cable?.close();
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
