import { Writable } from "node:stream";
import DataStream from "nodemailer/lib/smtp-connection/data-stream.js";
import { describe, expect, test } from "vitest";
import { Content } from "../../../../providers/smtp/content.ts";

const SLICE_BYTES = 65_536;

/** A socket that takes one write at a time, each when it is let. */
class SlowSocket extends Writable {
  readonly #log: string[];
  #taken: (() => void) | null = null;

  constructor(log: string[]) {
    super({ highWaterMark: 16_384 });
    this.#log = log;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#log.push(chunk.length <= 5 ? `write ${JSON.stringify(chunk.toString())}` : `write ${chunk.length}`);
    this.#taken = done;
  }

  take(): void {
    const taken = this.#taken;
    this.#taken = null;
    taken?.();
  }
}

/** Lets the content out, a write at a time, as far as there is anything to write. */
async function logOf(mime: Buffer): Promise<readonly string[]> {
  const log: string[] = [];
  const socket = new SlowSocket(log);
  const stuffing = new DataStream();
  stuffing.pipe(socket, { end: false });
  const content = new Content(mime, {
    onBegin: () => log.push("begin"),
    commit: async () => true,
    onProgress: () => log.push("progress"),
    onDot: () => log.push("dot"),
  });
  content.pipe(stuffing);
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    if (log.at(-1)?.startsWith('write "')) return log;
    log.push("taken");
    socket.take();
  }
}

describe("the final dot is announced before it is written, and not before all else was taken", () => {
  test("for small content", async () => {
    expect(await logOf(Buffer.from("Subject: Hi\r\n\r\nHello.\r\n"))).toEqual([
      "begin",
      "progress",
      "write 23",
      "dot",
      "taken",
      'write ".\\r\\n"',
    ]);
  });

  test("for content of three slices", async () => {
    const mime = Buffer.alloc(3 * SLICE_BYTES, `${"x".repeat(62)}\r\n`);
    const slice = ["progress", `write ${SLICE_BYTES}`, "taken"];
    expect(await logOf(mime)).toEqual(["begin", ...slice, ...slice, ...slice, "dot", 'write ".\\r\\n"']);
  });
});
