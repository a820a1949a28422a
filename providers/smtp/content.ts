import { Readable } from "node:stream";

/** Written at once; larger content goes out in slices of this size, so that a slow line shows its progress. */
const SLICE_BYTES = 65_536;

/** CR, LF, dot, CR, LF: the longest form in which nodemailer ends the content. */
const MAX_ENDING_BYTES = 5;

export type ContentEvents = {
  /** The server said 354, and the first byte is about to go. */
  readonly onBegin: () => void;
  /** Asked before the last slice, which may leave together with the dot. False: it stays here, and the attempt is over. */
  readonly commit: () => Promise<boolean>;
  /** Another slice went to the socket. */
  readonly onProgress: () => void;
  /** The final dot is about to go to the socket. From here on the server may have the message. */
  readonly onDot: () => void;
};

/**
 * The content of a message, as nodemailer reads it, telling how far it went.
 *
 * nodemailer pipes its message into its dot-stuffing stream, and that one into the socket, once it has the 354. So
 * `pipe` is the beginning, and what leaves the stuffing stream is what the socket is given, slice by slice, as fast as
 * the socket drains. The final dot is a chunk of its own, made when everything before it has been taken. We listen
 * ahead of the pipe: `onDot` runs before the socket gets the dot. Were the dot ever joined to a slice, the end of the
 * stuffing stream, in the same turn, still says so before anything else can happen on the socket.
 */
export class Content extends Readable {
  readonly #mime: Buffer;
  readonly #events: ContentEvents;
  #offset = 0;
  #dotAnnounced = false;

  constructor(mime: Buffer, events: ContentEvents) {
    super();
    this.#mime = mime;
    this.#events = events;
  }

  override pipe<T extends NodeJS.WritableStream>(stuffing: T, options?: { end?: boolean }): T {
    this.#events.onBegin();
    stuffing.prependListener("data", (chunk: Buffer) => {
      if (this.readableEnded && isEnding(chunk)) this.#announceDot();
      else this.#events.onProgress();
    });
    stuffing.once("end", () => this.#announceDot());
    return super.pipe(stuffing, options);
  }

  override _read(): void {
    if (this.#offset + SLICE_BYTES >= this.#mime.length) {
      void this.#pushLast();
      return;
    }
    this.push(this.#mime.subarray(this.#offset, this.#offset + SLICE_BYTES));
    this.#offset += SLICE_BYTES;
  }

  async #pushLast(): Promise<void> {
    if (!(await this.#events.commit()) || this.destroyed) return;
    this.push(this.#mime.subarray(this.#offset));
    this.push(null);
  }

  #announceDot(): void {
    if (this.#dotAnnounced) return;
    this.#dotAnnounced = true;
    this.#events.onDot();
  }
}

function isEnding(chunk: Buffer): boolean {
  return chunk.length <= MAX_ENDING_BYTES && chunk.toString("latin1").endsWith(".\r\n");
}
