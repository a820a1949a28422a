import type { Random } from "../core/index.ts";

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The faults that are set on one server, and how often each has still to strike. */
export class FaultSwitch<F extends { readonly kind: string }> {
  readonly #random: Random;
  #active: { readonly fault: F; leftCount: number }[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  get faults(): readonly F[] {
    return this.#active.map(({ fault }) => fault);
  }

  set(faults: readonly F[]): void {
    this.#active = faults.map((fault) => ({ fault, leftCount: countOf(fault) }));
  }

  /** The first fault that applies and strikes this time. One that strikes has one time less left. */
  strike<G extends F>(applies: (fault: F) => fault is G): G | null {
    for (const entry of this.#active) {
      if (entry.leftCount <= 0 || !applies(entry.fault)) continue;
      if (this.#random() >= shareOf(entry.fault)) continue;
      entry.leftCount -= 1;
      return entry.fault;
    }
    return null;
  }
}

function countOf(fault: object): number {
  return "count" in fault && typeof fault.count === "number" ? fault.count : Infinity;
}

function shareOf(fault: object): number {
  return "share" in fault && typeof fault.share === "number" ? fault.share : 1;
}
