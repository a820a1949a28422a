import { within } from "../redis/within.ts";

/** What is to be closed at the end, in reverse order of being opened. */
export type Closing = (() => Promise<void> | void)[];

/** Ends with all of these, or after the time at the latest: while Redis is away nobody waits for it. Rejects with none. */
export async function closeWithin(limitMs: number, closes: readonly (() => Promise<void> | void)[]): Promise<void> {
  await within<unknown>(limitMs, Promise.allSettled(closes.map(async (close) => close())), () => undefined);
}
