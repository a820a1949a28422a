import { AssertionError } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

/** How long anything may take that is not to hang: an attempt whose upstream is silent ends by its own limits in this. */
export const END_MS = 15_000;

/** How long a stage may be in coming, where nothing is in the way. */
export const REACH_MS = 7_500;

/** How long an attempt may go on after it was stopped. */
export const PROMPT_MS = 3_000;

const POLL_MS = 5;

/** The value of a promise. Rejects where it does not come in time, or where the promise does: providers do not throw. */
export async function within<T>(limitMs: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new AssertionError({ message: `${what} did not end within ${limitMs} ms` })),
      limitMs,
    );
  });
  const answered = work.catch((error: unknown) => {
    throw error instanceof AssertionError ? error : new AssertionError({ message: `${what} threw: ${String(error)}` });
  });
  try {
    return await Promise.race([answered, overdue]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until something holds. */
export async function until(what: string, holds: () => boolean, limitMs = PROMPT_MS): Promise<void> {
  const endAt = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > endAt) throw new AssertionError({ message: `not so within ${limitMs} ms: ${what}` });
    await delay(POLL_MS);
  }
}
