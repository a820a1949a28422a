/** Where the demo shows itself: lines that scroll, and below them a picture that is drawn over itself on a terminal. */
export class Screen {
  readonly #output: NodeJS.WriteStream;
  readonly #live: boolean;
  #drawn = 0;

  constructor(output: NodeJS.WriteStream, plain: boolean) {
    this.#output = output;
    this.#live = output.isTTY && !plain;
  }

  line(text: string): void {
    this.#erase();
    this.#output.write(`${text}\n`);
  }

  /** Draws over the last picture. Without a terminal nothing is drawn. */
  draw(lines: readonly string[]): void {
    if (!this.#live) return;
    this.#erase();
    const width = this.#output.columns;
    for (const line of lines) this.#output.write(`${line.slice(0, width - 1)}\n`);
    this.#drawn = lines.length;
  }

  /** Takes the picture away, so that what follows stands alone. */
  end(): void {
    this.#erase();
  }

  #erase(): void {
    if (this.#drawn > 0) this.#output.write(`\u001B[${this.#drawn}A\u001B[0J`);
    this.#drawn = 0;
  }
}
