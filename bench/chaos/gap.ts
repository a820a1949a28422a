/** A time of which Redis knows nothing any more, although it had acknowledged what was written in it. Epoch milliseconds. */
export type Gap = {
  readonly fromAt: number;
  /** When its power was cut. */
  readonly untilAt: number;
};

/**
 * What was acknowledged in the last moment of a gap is heard of, and done, a moment later: an attempt that was marked
 * before the cut hands its content over after it.
 */
const AFTERMATH_MS = 1_000;

/** Whether something that was seen at an instant may be forgotten: it lies in a gap, or a moment behind it. */
export function isForgotten(seenAt: number, gaps: readonly Gap[]): boolean {
  return gaps.some(({ fromAt, untilAt }) => seenAt >= fromAt && seenAt <= untilAt + AFTERMATH_MS);
}
