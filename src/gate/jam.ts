import type { Clock } from "../core/index.ts";
import type { Passage } from "./passage.ts";
import { Usual } from "./usual.ts";

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
  readonly #usual = new Usual();
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
    if (since !== undefined) this.#usual.add(now - since);
    this.#waiting.delete(passage);
    this.#busy.set(passage, now);
    this.#moved(now);
  }

  /** An attempt is over. `well`: since its provider brought it to its end. */
  gone(passage: Passage, well: boolean): void {
    const now = this.#parts.clock();
    const since = this.#busy.get(passage);
    // What only ended by a time limit says nothing of what is usual.
    if (since !== undefined && well) this.#usual.add(now - since);
    this.#waiting.delete(passage);
    if (this.#busy.delete(passage)) this.#moved(now);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #moved(now: number): void {
    this.#movedAt = now;
    this.#isSuspected = false;
    this.#isOn = false;
    this.#watch();
  }

  #limitMs(): number {
    return this.#usual.limitMs(LEAST_MS) ?? this.#parts.slowAfterMs;
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
