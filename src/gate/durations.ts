/** Each bucket is this much wider than the one before. */
const GROWTH = 1.05;

/** Longer ones count as this long. */
const LONGEST_MS = 3_600_000;

const BUCKET_COUNT = bucketOf(LONGEST_MS) + 1;

/**
 * How many durations there were of which length, in as much memory whatever their number: counts in buckets from a
 * millisecond to an hour, each 5 % wider than the one before.
 */
export class Durations {
  readonly #counts = new Float64Array(BUCKET_COUNT);
  #count = 0;

  /** How many there are; no whole number once they have been faded. */
  get count(): number {
    return this.#count;
  }

  add(durationMs: number): void {
    const bucket = bucketOf(durationMs);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
  }

  /** Adds all of the others, or takes them out again. */
  merge(others: Durations, sign: 1 | -1 = 1): void {
    for (const [bucket, count] of others.#counts.entries()) {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + sign * count;
    }
    this.#count += sign * others.#count;
  }

  /** Makes all of them count for less: `factor` from 0 to 1. */
  fade(factor: number): void {
    for (const [bucket, count] of this.#counts.entries()) this.#counts[bucket] = count * factor;
    this.#count *= factor;
  }

  /** Forgets its own, and holds what the others hold. */
  become(others: Durations): void {
    this.#counts.set(others.#counts);
    this.#count = others.#count;
  }

  /** The duration that so many percent do not exceed (nearest rank), up to 5 % too low, never too high; NaN of none. */
  percentile(percent: number): number {
    if (this.#count === 0) return Number.NaN;
    const rank = (this.#count * percent) / 100;
    let passed = 0;
    let highest = 0;
    for (let bucket = 0; bucket < BUCKET_COUNT && passed < rank; bucket += 1) {
      const count = this.#counts[bucket] ?? 0;
      if (count > 0) highest = bucket;
      passed += count;
    }
    return GROWTH ** highest;
  }
}

/** What is below a millisecond counts as one. */
function bucketOf(durationMs: number): number {
  return Math.floor(Math.log(Math.min(LONGEST_MS, Math.max(1, durationMs))) / Math.log(GROWTH));
}
