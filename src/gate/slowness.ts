import type { Clock } from "../core/index.ts";
import { DurationWindow } from "./duration-window.ts";
import { Durations } from "./durations.ts";

export type SlownessSettings = {
  /** How many times above its usual p95 the present one must be. */
  readonly factor: number;
  /** Below this no p95 counts as slow. */
  readonly leastMs: number;
  /** Time over which the present p95 is taken. A third of it lies at least between two steps of the share. */
  readonly windowMs: number;
  /** Attempts the window must hold. */
  readonly minimumCalls: number;
};

export type SlownessChange = {
  /** The share before and after, from 0 to 1. */
  readonly from: number;
  readonly to: number;
  readonly reason: string;
};

/** One attempt as it is timed. */
export type Timing = {
  /** Its content begins. */
  readonly reachedContent: () => void;
  /** It is over. What has not reached its content by then never will. */
  readonly end: () => void;
};

/** The shares of its mail that a provider gets, from healthy to slowest. Never nothing: it must be seen to recover. */
const SHARES = [1, 0.5, 0.25, 0.1] as const;

const PERCENT = 95;

/** Attempts from which on its usual is known. */
const KNOWN_COUNT = 100;

/** After this time what was learned counts for half: an hour of trouble weighs little, what changed for good is learned. */
const HALF_LIFE_MS = 6 * 3_600_000;

/** Fading in smaller steps than this would only cost time. */
const FADE_EVERY_MS = 60_000;

/** Fewest attempts that a share is judged by, however small it is. */
const FEWEST = 5;

/**
 * Sees when one provider is slower than it usually is, by the p95 of the time from an attempt's first step to the
 * beginning of its content, and says what share of its mail it should get. The share falls and rises step by step; each
 * step is judged by attempts that began after it, so that an old trouble does not count twice.
 *
 * What its usual is it learns from what left the window while it was not degraded, so that slowness does not become usual,
 * and what is judged is not compared with itself. Before a hundred attempts were learned, `factor` times `leastMs` is the
 * limit, and slow ones are learned too. Steady slowness becomes usual only once what was learned before has faded, after days.
 *
 * There is no timer: it looks anew at each beginning and end, and whenever its share is read. The clock should be one that
 * is never set, as `performance.now`.
 */
export class Slowness {
  readonly #settings: SlownessSettings;
  readonly #clock: Clock;
  readonly #onChange: (change: SlownessChange) => void;
  /** When those began that are still short of their content, oldest first. */
  readonly #running = new Set<{ readonly beganAt: number }>();
  readonly #window: DurationWindow;
  readonly #usual = new Durations();
  readonly #looked = new Durations();
  #fadedAt: number;
  #step = 0;
  #steppedAt = -Infinity;
  #reason = "";

  constructor(settings: SlownessSettings, parts: { clock: Clock; onChange: (change: SlownessChange) => void }) {
    this.#settings = settings;
    this.#clock = parts.clock;
    this.#onChange = parts.onChange;
    this.#window = new DurationWindow(settings.windowMs);
    this.#fadedAt = parts.clock();
  }

  /** The share of its mail that it should get now, from 0.1 to 1. */
  get share(): number {
    this.#review();
    return this.#share;
  }

  /** Why it has that share, in words; empty as long as it never changed. */
  get reason(): string {
    return this.#reason;
  }

  /** Times an attempt from its first step on. Whoever begins one ends it. */
  begin(): Timing {
    const attempt = { beganAt: this.#clock() };
    this.#running.add(attempt);
    this.#review();
    const leave = (reachedContent: boolean): void => {
      if (!this.#running.delete(attempt)) return;
      const tookMs = this.#clock() - attempt.beganAt;
      // One that broke off would have taken longer. That says something only where it took too long already.
      if (reachedContent || tookMs > this.#limitMs) this.#count(tookMs, attempt.beganAt);
      this.#review();
    };
    return { reachedContent: () => leave(true), end: () => leave(false) };
  }

  get #share(): number {
    return SHARES[this.#step] ?? 1;
  }

  get #usualIsKnown(): boolean {
    return this.#usual.count >= KNOWN_COUNT;
  }

  /** A p95 above it is slow. */
  get #limitMs(): number {
    const { factor, leastMs } = this.#settings;
    if (!this.#usualIsKnown) return factor * leastMs;
    return Math.max(leastMs, factor * this.#usual.percentile(PERCENT));
  }

  /** One that began before the window, or before the last step, says nothing of the present. */
  #count(tookMs: number, beganAt: number): void {
    const isOfThisStep = beganAt >= this.#steppedAt;
    if (isOfThisStep && this.#clock() - beganAt < this.#settings.windowMs) this.#window.add(tookMs, beganAt);
    else if (!this.#usualIsKnown || (isOfThisStep && this.#step === 0)) this.#usual.add(tookMs);
  }

  /** Looks at the present anew. */
  #review(): void {
    const now = this.#clock();
    this.#fade(now);
    for (const durations of this.#window.advance(now)) {
      if (this.#step === 0 || !this.#usualIsKnown) this.#usual.merge(durations);
    }
    const sinceStepMs = now - this.#steppedAt;
    if (sinceStepMs < this.#settings.windowMs / 3) return;
    if (this.#isSlow(now)) this.#stepTo(Math.min(this.#step + 1, SHARES.length - 1), now);
    else if (this.#step > 0 && this.#isCalm(now, sinceStepMs)) this.#stepTo(this.#step - 1, now);
  }

  #isSlow(now: number): boolean {
    const limitMs = this.#limitMs;
    const present = this.#present(now, limitMs, Math.max(this.#steppedAt, now - this.#settings.windowMs));
    return present.count >= this.#leastCount && present.percentile(PERCENT) > limitMs;
  }

  #isCalm(now: number, sinceStepMs: number): boolean {
    const limitMs = this.#limitMs / 2;
    // As long as older ones hang there is no calm, even where they leave no connection to newer ones.
    const present = this.#present(now, limitMs);
    if (present.count > 0 && present.percentile(PERCENT) >= limitMs) return false;
    // Where too little mail comes to tell, it gets more of it, unless even that little was slow.
    return present.count >= this.#leastCount || sinceStepMs >= this.#settings.windowMs;
  }

  /** The durations in the window and, of attempts under way that began at an instant or after it, the ages above a limit. */
  #present(now: number, limitMs: number, beganFromAt = -Infinity): Durations {
    // It is looked at several times for each message: always in the same place in memory.
    const present = this.#looked;
    present.become(this.#window.all);
    for (const { beganAt } of this.#running) {
      // What is younger may yet be fast; and all that follow are younger still.
      if (now - beganAt <= limitMs) break;
      if (beganAt >= beganFromAt) present.add(now - beganAt);
    }
    return present;
  }

  /** With less mail there are fewer attempts to judge by. */
  get #leastCount(): number {
    return Math.max(FEWEST, Math.ceil(this.#settings.minimumCalls * this.#share));
  }

  #stepTo(step: number, now: number): void {
    if (step === this.#step) return;
    const from = this.#share;
    this.#reason = this.#describe(now);
    this.#step = step;
    this.#steppedAt = now;
    this.#window.clear();
    this.#onChange({ from, to: this.#share, reason: this.#reason });
  }

  #describe(now: number): string {
    const present = this.#present(now, this.#limitMs / 2);
    const usual = this.#usualIsKnown
      ? `usually ${formatS(this.#usual.percentile(PERCENT))}`
      : "its usual is not known yet";
    return present.count === 0
      ? `no attempts to tell, ${usual}`
      : `p95 ${formatS(present.percentile(PERCENT))}, ${usual}`;
  }

  #fade(now: number): void {
    const sinceMs = now - this.#fadedAt;
    if (sinceMs < FADE_EVERY_MS) return;
    this.#usual.fade(0.5 ** (sinceMs / HALF_LIFE_MS));
    this.#fadedAt = now;
  }
}

/** Seconds with two digits that count: "2.4 s", "0.21 s", "13 s". */
function formatS(durationMs: number): string {
  const seconds = durationMs / 1000;
  return `${seconds < 9.95 ? Number(seconds.toPrecision(2)) : Math.round(seconds)} s`;
}
