import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { within } from "../../../src/redis/within.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const after = <T>(ms: number, act: () => T): Promise<T> =>
  new Promise((resolve, reject) =>
    setTimeout(() => {
      try {
        resolve(act());
      } catch (error) {
        reject(error as Error);
      }
    }, ms),
  );

const fails = (): never => {
  throw new Error("cut");
};

test("what comes in time comes as it is, also a rejection, and no timer is left", async () => {
  const good = within(
    100,
    after(50, () => "answer"),
    () => "late",
  );
  await vi.advanceTimersByTimeAsync(50);
  expect(await good).toBe("answer");
  const bad = within(100, after(50, fails), () => "late");
  await Promise.all([expect(bad).rejects.toThrow("cut"), vi.advanceTimersByTimeAsync(50)]);
  expect(vi.getTimerCount()).toBe(0);
});

test("what takes longer is what `late` says, and what comes after that is nobody's, also a rejection", async () => {
  const late = within(100, after(200, fails), () => "late");
  const refused = within<string>(100, after(200, fails), fails);
  await Promise.all([expect(refused).rejects.toThrow("cut"), vi.advanceTimersByTimeAsync(100)]);
  expect(await late).toBe("late");
  await vi.advanceTimersByTimeAsync(100);
});
