import { Durations } from "./durations.ts";

/** The window moves on by this part of itself. */
const SLICE_COUNT = 10;

/** The durations of what began in the last while. They are forgotten slice by slice: none is kept for longer than `windowMs`. */
export class DurationWindow {
  readonly #windowMs: number;
  readonly #sliceMs: number;
  /** By the number of the slice, counted from the clock's own beginning. */
  readonly #slices = new Map<number, Durations>();
  #all = new Durations();

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
    this.#sliceMs = windowMs / SLICE_COUNT;
  }

  /** All that are in it, as of the last `advance`. */
  get all(): Durations {
    return this.#all;
  }

  /** Adds one that began within the window. */
  add(durationMs: number, beganAt: number): void {
    const number = Math.floor(beganAt / this.#sliceMs);
    const slice = this.#slices.get(number) ?? new Durations();
    this.#slices.set(number, slice);
    slice.add(durationMs);
    this.#all.add(durationMs);
  }

  /** Moves on to `now`, and returns those that left it. */
  advance(now: number): Durations[] {
    const left: Durations[] = [];
    for (const [number, slice] of this.#slices) {
      if (number * this.#sliceMs > now - this.#windowMs) continue;
      this.#slices.delete(number);
      this.#all.merge(slice, -1);
      left.push(slice);
    }
    return left;
  }

  /** Forgets all of them at once. */
  clear(): void {
    this.#slices.clear();
    this.#all = new Durations();
  }
}
