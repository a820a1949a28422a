import type { Clock } from "../core/index.ts";

/** Addresses remembered at most; the oldest is forgotten first. */
const CAPACITY = 10_000;

/** From addresses that a provider refused, remembered for a while so that it is not asked again and again. */
export class SenderMemory {
  readonly #rememberMs: number;
  readonly #clock: Clock;
  readonly #refusals = new Map<string, { untilAt: number; reason: string }>();

  constructor(rememberMs: number, clock: Clock) {
    this.#rememberMs = rememberMs;
    this.#clock = clock;
  }

  remember(from: string, reason: string): void {
    const key = from.toLowerCase();
    this.#refusals.delete(key);
    this.#refusals.set(key, { untilAt: this.#clock() + this.#rememberMs, reason });
    if (this.#refusals.size > CAPACITY) {
      const [oldest] = this.#refusals.keys();
      if (oldest !== undefined) this.#refusals.delete(oldest);
    }
  }

  /** The refusal of this From that still counts, or null. */
  find(from: string): { untilAt: number; reason: string } | null {
    const key = from.toLowerCase();
    const refusal = this.#refusals.get(key);
    if (refusal === undefined) return null;
    if (refusal.untilAt > this.#clock()) return refusal;
    this.#refusals.delete(key);
    return null;
  }
}
