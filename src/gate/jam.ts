import type { Clock } from "../core/index.ts";
import { Durations } from "./durations.ts";
import type { Passage } from "./passage.ts";

/** How many times longer than 99 of 100 stages nothing must have moved; more, where only a few were ever seen. */
const FACTOR = 5;
const FACTOR_OF_FEW = 10;
const FEW = 20;
/** With more than so many, all of them lose half of their weight, so that old ones fade. */
const REMEMBERED = 2_000;
/** Below this nothing is a jam, however fast the provider usually is. */
const LEAST_MS = 250;

export type JamParts = {
  readonly clock: Clock;
  /** What a jam must last where it is not known how long anything usually takes. Milliseconds. */
  readonly slowAfterMs: number;
  /** Told when one begins: of those that wait for a connection. */
  readonly onBegin: (waiting: readonly Passage[]) => void;
};

/**
 * All connections to a provider are taken, and nothing moves on any of them. Attempts past their content can neither be
 * abandoned nor called slow, and have a minute and more to end: whoever waits for their connections would wait for that.
 */
export class Jam {
  readonly #parts: JamParts;
  readonly #waiting = new Set<Passage>();
  /** Those that have a connection, and when their stage began. */
  readonly #busy = new Map<Passage, number>();
  readonly #usual = new Durations();
  #movedAt = 0;
  #isSuspected = false;
  #isOn = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: JamParts) {
    this.#parts = parts;
  }

  /** Whether there is one now. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** An attempt waits for a connection. */
  waits(passage: Passage): void {
    this.#waiting.add(passage);
    this.#watch();
  }

  /** A stage of an attempt began that is not the wait for a connection. */
  progressed(passage: Passage): void {
    const now = this.#parts.clock();
    const since = this.#busy.get(passage);
    if (since !== undefined) this.#took(now - since);
    this.#waiting.delete(passage);
    this.#busy.set(passage, now);
    this.#moved(now);
  }

  /** An attempt is over. `well`: since its provider brought it to its end. */
  gone(passage: Passage, well: boolean): void {
    const now = this.#parts.clock();
    const since = this.#busy.get(passage);
    // What only ended by a time limit says nothing of what is usual.
    if (since !== undefined && well) this.#took(now - since);
    this.#waiting.delete(passage);
    if (this.#busy.delete(passage)) this.#moved(now);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #took(durationMs: number): void {
    this.#usual.add(durationMs);
    if (this.#usual.count > REMEMBERED) this.#usual.fade(0.5);
  }

  #moved(now: number): void {
    this.#movedAt = now;
    this.#isSuspected = false;
    this.#isOn = false;
    this.#watch();
  }

  #limitMs(): number {
    const { count } = this.#usual;
    if (count === 0) return this.#parts.slowAfterMs;
    return Math.max(LEAST_MS, (count < FEW ? FACTOR_OF_FEW : FACTOR) * this.#usual.percentile(99));
  }

  /** One timer for all: it looks at what is there when it rings, and not at each stage. */
  #watch(): void {
    if (this.#timer !== null || this.#isOn || this.#waiting.size === 0 || this.#busy.size === 0) return;
    const dueInMs = this.#movedAt + this.#limitMs() - this.#parts.clock();
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#look();
        this.#watch();
      },
      Math.max(LEAST_MS / 5, dueInMs),
    ).unref();
  }

  #look(): void {
    if (this.#waiting.size === 0 || this.#busy.size === 0) return;
    if (this.#parts.clock() - this.#movedAt < this.#limitMs()) return;
    // Where this process itself stood still, what came meanwhile is read before the second look.
    if (!this.#isSuspected) {
      this.#isSuspected = true;
      return;
    }
    this.#isOn = true;
    this.#parts.onBegin([...this.#waiting]);
  }
}
