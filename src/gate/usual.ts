import { Durations } from "./durations.ts";

/** How many times longer than 99 of 100 something must last to be out of the usual; more, where only a few were seen. */
const FACTOR = 5;
const FACTOR_OF_FEW = 10;
const FEW = 20;
/** With more than so many, all of them lose half of their weight, so that old ones fade. */
const REMEMBERED = 2_000;

/** How long something usually takes, and from when on it takes too long. Milliseconds. */
export class Usual {
  readonly #durations = new Durations();

  add(durationMs: number): void {
    this.#durations.add(durationMs);
    if (this.#durations.count > REMEMBERED) this.#durations.fade(0.5);
  }

  /** What lasts longer is out of the usual; null where nothing is known yet. Never below `leastMs`. */
  limitMs(leastMs: number): number | null {
    const { count } = this.#durations;
    if (count === 0) return null;
    return Math.max(leastMs, (count < FEW ? FACTOR_OF_FEW : FACTOR) * this.#durations.percentile(99));
  }
}
