/** Whether a message may go to the provider now. A shut gate says why in words, and until when where it knows. */
export type Admission = { readonly open: true } | ({ readonly open: false } & Shut);

/**
 * Why a gate is shut, and until when (epoch milliseconds).
 * - `breaker`: the provider is at fault, as this worker or its fleet found; it is probed.
 * - `throttled`, `quota`: it asked to be left alone.
 * - `ramp`, `slow`: it gets a part of its mail only, and this message is not of that part.
 * - `sender`: it refused this From before.
 */
export type Shut = {
  readonly cause: "breaker" | "throttled" | "quota" | "ramp" | "slow" | "sender";
  readonly reason: string;
  readonly untilAt: number;
};

/** Causes by which a provider is spared and not out of reach: where no other is left, it is used all the same. */
export function isSparing({ cause }: Shut): boolean {
  return cause === "ramp" || cause === "slow";
}
