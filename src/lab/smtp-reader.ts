import type { Duplex } from "node:stream";

/** Input that waits to be read beyond this stops the client, in bytes. */
const HIGH_WATER_BYTES = 1_048_576;
/** RFC 5321 4.5.3.1.4 allows 512; long SASL responses and parameters come on top. */
const MAX_LINE_BYTES = 65_536;

const END_OF_CONTENT = Buffer.from("\r\n.\r\n");

/** Content of a message, dots unstuffed. Where it was larger than allowed, `content` is empty. */
export type SmtpContent = { readonly content: Buffer; readonly sizeBytes: number };

/** Reads command lines and content off a connection, in order. Answers null once the client is gone. */
export class SmtpReader {
  readonly #stream: Duplex;
  #pending: Buffer = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  #ended = false;
  #wake: (() => void) | null = null;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on("data", this.#onData);
    stream.on("end", this.#onEnd);
    stream.on("close", this.#onEnd);
  }

  /** Lets go of the stream and returns nothing more. What the client sent ahead is thrown away. */
  detach(): void {
    this.#stream.off("data", this.#onData);
    this.#stream.off("end", this.#onEnd);
    this.#stream.off("close", this.#onEnd);
    this.#onEnd();
  }

  /** One line without its line end. A line that is far too long counts as the client's end. */
  async readLine(): Promise<string | null> {
    for (;;) {
      const end = this.#pending.indexOf(0x0a);
      if (end !== -1) {
        const line = this.#pending.toString("utf8", 0, end).replace(/\r$/, "");
        this.#pending = this.#pending.subarray(end + 1);
        return line;
      }
      if (this.#pending.length > MAX_LINE_BYTES) return null;
      const chunk = await this.#next();
      if (chunk === null) return null;
      this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    }
  }

  /** Waits until there is input to read. False: the client is gone. */
  async waitForInput(): Promise<boolean> {
    if (this.#pending.length > 0) return true;
    const chunk = await this.#next();
    if (chunk === null) return false;
    this.#pending = chunk;
    return true;
  }

  /** So many bytes as they are (BDAT). */
  async readBytes(sizeBytes: number): Promise<Buffer | null> {
    const parts: Buffer[] = [];
    let leftBytes = sizeBytes;
    while (leftBytes > 0) {
      if (!(await this.waitForInput())) return null;
      const part = this.#pending.subarray(0, leftBytes);
      this.#pending = this.#pending.subarray(part.length);
      leftBytes -= part.length;
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  /** Everything up to the final dot. More than `maxBytes` is read but not kept. */
  async readContent(maxBytes: number): Promise<SmtpContent | null> {
    const kept: Buffer[] = [];
    let sizeBytes = 0;
    // The line end before the first line is the one of the DATA command.
    let window = Buffer.from("\r\n");
    let overlapBytes = 2;
    for (;;) {
      if (!(await this.waitForInput())) return null;
      const chunk = this.#pending;
      this.#pending = Buffer.alloc(0);
      window = Buffer.concat([window, chunk]);
      const end = window.indexOf(END_OF_CONTENT);
      const fresh = window.subarray(overlapBytes, end === -1 ? window.length : Math.max(end + 2, overlapBytes));
      sizeBytes += fresh.length;
      if (sizeBytes <= maxBytes) kept.push(fresh);
      if (end !== -1) {
        this.#pending = window.subarray(end + END_OF_CONTENT.length);
        // The terminator may have been cut in two, its first bytes taken for content.
        const surplusBytes = Math.max(0, overlapBytes - (end + 2));
        sizeBytes -= surplusBytes;
        const whole = Buffer.concat(kept);
        const content = sizeBytes > maxBytes ? Buffer.alloc(0) : whole.subarray(0, whole.length - surplusBytes);
        return { content: unstuff(content), sizeBytes };
      }
      window = window.subarray(-(END_OF_CONTENT.length - 1));
      overlapBytes = window.length;
    }
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    this.#chunkBytes += chunk.length;
    if (this.#chunkBytes > HIGH_WATER_BYTES) this.#stream.pause();
    this.#wake?.();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake?.();
  };

  async #next(): Promise<Buffer | null> {
    while (this.#chunks.length === 0) {
      if (this.#ended) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
    const all =
      this.#chunks.length === 1 && this.#chunks[0] !== undefined ? this.#chunks[0] : Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#chunkBytes = 0;
    if (this.#stream.isPaused()) this.#stream.resume();
    return all;
  }
}

/** Takes the first dot off each line that begins with one (RFC 5321 4.5.2). */
function unstuff(content: Buffer): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (let dot = content[0] === 0x2e ? 0 : nextDot(content, 0); dot !== -1; dot = nextDot(content, dot)) {
    parts.push(content.subarray(from, dot));
    from = dot + 1;
  }
  if (parts.length === 0) return content;
  parts.push(content.subarray(from));
  return Buffer.concat(parts);
}

/** Place of the next dot at the beginning of a line, after this place, or -1. */
function nextDot(content: Buffer, after: number): number {
  const lineEnd = content.indexOf("\r\n.", after);
  return lineEnd === -1 ? -1 : lineEnd + 2;
}
