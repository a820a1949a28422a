/** One command, reply or request, without secrets and content. */
export type TranscriptLine = {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Counts up with each connection to the server. */
  readonly connection: number;
  readonly from: "client" | "server";
  readonly text: string;
};

const KEPT_COUNT = 1_000;

/** The last thousand lines or more of what was said to and by one server. */
export class Transcript {
  #lines: TranscriptLine[] = [];

  get lines(): readonly TranscriptLine[] {
    return this.#lines;
  }

  add(line: TranscriptLine): void {
    this.#lines.push(line);
    // Twice the number at most, so that the array is not moved for every line.
    if (this.#lines.length >= 2 * KEPT_COUNT) this.#lines = this.#lines.slice(-KEPT_COUNT);
  }

  clear(): void {
    this.#lines = [];
  }
}
