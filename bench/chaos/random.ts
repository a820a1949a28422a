import type { Random } from "../../src/core/index.ts";

/** Numbers in [0, 1) that are the same for the same seed (xorshift32). */
export function seededRandom(seed: number): Random {
  // Zero would stay zero; neighbouring seeds are spread apart.
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4_294_967_296;
  };
}
