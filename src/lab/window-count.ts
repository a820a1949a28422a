/** Counts within windows of the clock: minutes, or days of UTC. */
export class WindowCount {
  readonly #windowMs: number;
  #window = -1;
  #count = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  count(now: number): number {
    return Math.floor(now / this.#windowMs) === this.#window ? this.#count : 0;
  }

  /** Returns the new count. */
  add(now: number, count: number): number {
    this.#count = this.count(now) + count;
    this.#window = Math.floor(now / this.#windowMs);
    return this.#count;
  }

  clear(): void {
    this.#count = 0;
  }
}
