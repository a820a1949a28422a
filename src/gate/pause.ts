import type { Clock, Random } from "../core/index.ts";

export type PauseSettings = {
  /** First pause when the provider does not say for how long; it grows by `growth` up to `pauseMaxMs`. */
  readonly pauseMs: number;
  readonly pauseMaxMs: number;
  readonly growth: number;
};

export type Pause = { readonly cause: "throttled" | "quota"; readonly reason: string; readonly untilAt: number };

/** Longest time a provider may ask to be left alone before it is asked again: a day, the longest quota window we know. */
const LONGEST_MS = 86_400_000;

/** How long a quota is waited for when neither the reply nor its rule says when it is renewed. */
const QUOTA_MS = 3_600_000;

/** A provider's throttling and quotas: it is left alone for a while, without its breaker having a part in it. */
export class Pauses {
  readonly #settings: PauseSettings;
  readonly #clock: Clock;
  readonly #random: Random;
  #current: Pause | null = null;
  #pausesInRow = 0;

  constructor(settings: PauseSettings, parts: { clock: Clock; random: Random }) {
    this.#settings = settings;
    this.#clock = parts.clock;
    this.#random = parts.random;
  }

  get current(): Pause | null {
    if (this.#current !== null && this.#current.untilAt <= this.#clock()) this.#current = null;
    return this.#current;
  }

  /**
   * Begins a pause, or prolongs the present one where the provider asks for more. Returns it when it is new. A time of
   * zero counts as none: coming back at once is what it complained of.
   */
  begin(cause: Pause["cause"], reason: string, retryAfterMs = 0): Pause | null {
    const present = this.current;
    const untilAt = this.#clock() + Math.min(LONGEST_MS, retryAfterMs > 0 ? retryAfterMs : this.#ownGuessMs(cause));
    // Attempts that ran at the same time are told the same thing: that is one throttling, not many.
    if (present !== null && (retryAfterMs <= 0 || untilAt <= present.untilAt)) return null;
    this.#pausesInRow += 1;
    this.#current = { cause, reason, untilAt };
    return this.#current;
  }

  /** A message got through: the next throttling starts with a short pause again. */
  succeeded(): void {
    this.#pausesInRow = 0;
  }

  #ownGuessMs(cause: Pause["cause"]): number {
    if (cause === "quota") return QUOTA_MS;
    const { pauseMs, pauseMaxMs, growth } = this.#settings;
    // Up to a tenth longer, so that the workers of a fleet do not come back in the same instant.
    return Math.min(pauseMaxMs, pauseMs * growth ** this.#pausesInRow) * (1 + this.#random() / 10);
  }
}
