export type RampSettings = {
  /** Share of its mail that a provider gets, in percent, step by step, growing; after the last it gets all. */
  readonly percents: readonly number[];
  /** Time of each step, in milliseconds. */
  readonly stepMs: number;
};

export type RampPosition = {
  /** Of its mail: above 0, up to 1. */
  readonly share: number;
  /** When the next step begins, epoch milliseconds; null: the ramp is over. */
  readonly nextAt: number | null;
};

/** Where a ramp that began at `startedAt` stands now. */
export function rampAt({ percents, stepMs }: RampSettings, startedAt: number, now: number): RampPosition {
  const step = Math.max(0, Math.floor((now - startedAt) / stepMs));
  const percent = percents[step];
  if (percent === undefined) return { share: 1, nextAt: null };
  return { share: percent / 100, nextAt: startedAt + (step + 1) * stepMs };
}
