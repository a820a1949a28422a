import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Breaker } from "../../../src/gate/breaker.ts";
import type { BreakerChange, BreakerSettings } from "../../../src/gate/breaker.ts";

const settings: BreakerSettings = {
  windowMs: 10_000,
  minimumCalls: 4,
  openAtPercent: 50,
  consecutiveFailures: 5,
  openMs: 1_000,
  openMaxMs: 8_000,
  openGrowth: 2,
  jitterPercent: 0,
};

let breaker: Breaker;
let changes: BreakerChange[];

function make(more: Partial<BreakerSettings> = {}, random = (): number => 0.5): Breaker {
  changes = [];
  breaker = new Breaker(
    { ...settings, ...more },
    { clock: Date.now, random, onChange: (change) => changes.push(change) },
  );
  return breaker;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  breaker.shutdown();
  vi.useRealTimers();
});

const states = (): string[] => changes.map(({ to }) => to);

describe("opening", () => {
  test("a share of failures opens it once the window holds enough calls", async () => {
    make();
    await breaker.success();
    await breaker.failure("451");
    await breaker.success();
    expect(breaker.state).toBe("closed");
    await breaker.failure("451");
    expect(breaker.state).toBe("open");
  });

  test("failures in a row open it whatever went well before", async () => {
    make();
    for (let call = 0; call < 100; call += 1) await breaker.success();
    for (let call = 0; call < 4; call += 1) await breaker.failure("silence");
    expect(breaker.state).toBe("closed");
    await breaker.failure("silence");
    expect(breaker.state).toBe("open");
    expect(breaker.reason).toContain("5 failures in a row, the last: silence");
  });

  test("failures in a row open it however quiet the hour is", async () => {
    make({ consecutiveFailures: 2, minimumCalls: 100 });
    await breaker.failure("one");
    await vi.advanceTimersByTimeAsync(600_000);
    await breaker.failure("another");
    expect(breaker.state).toBe("open");
  });

  test("a good call ends the row", async () => {
    make({ consecutiveFailures: 2, minimumCalls: 100 });
    await breaker.failure("one");
    await breaker.success();
    await breaker.failure("another");
    expect(breaker.state).toBe("closed");
  });

  test("a trip opens it at once, for as long as it says", () => {
    make();
    breaker.trip("535 5.7.3", 60_000);
    expect(breaker.state).toBe("open");
    expect(breaker.untilAt).toBe(Date.now() + 60_000);
  });

  test("results of attempts from before do not change an open breaker", async () => {
    make();
    breaker.trip("down");
    await breaker.success();
    await breaker.failure("late");
    expect(states()).toEqual(["open"]);
  });
});

describe("the way back", () => {
  test("it is half-open when its time is over, and closes only on a good probe", async () => {
    make();
    breaker.trip("down");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(breaker.state).toBe("half-open");
    await breaker.success();
    expect(breaker.state).toBe("half-open");
    await breaker.probeSucceeded();
    expect(states()).toEqual(["open", "half-open", "closed"]);
  });

  test("each failed probe makes the time open longer, up to the longest", async () => {
    make();
    breaker.trip("down");
    const times: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      times.push((breaker.untilAt ?? 0) - Date.now());
      await vi.advanceTimersByTimeAsync(times.at(-1) ?? 0);
      breaker.probeFailed("still down");
    }
    expect(times).toEqual([1_000, 2_000, 4_000, 8_000, 8_000]);
  });

  test("the failures of before do not open it again after it closed", async () => {
    make({ minimumCalls: 2 });
    await breaker.failure("down");
    await breaker.failure("down");
    await vi.advanceTimersByTimeAsync(1_000);
    await breaker.probeSucceeded();
    await breaker.success();
    await breaker.success();
    await breaker.failure("one bad answer");
    expect(breaker.state).toBe("closed");
  });

  test("a relapse soon after closing stays open for longer, one after a good spell does not", async () => {
    make();
    breaker.trip("down");
    await vi.advanceTimersByTimeAsync(1_000);
    await breaker.probeSucceeded();
    breaker.trip("down again");
    expect((breaker.untilAt ?? 0) - Date.now()).toBe(2_000);
    await vi.advanceTimersByTimeAsync(2_000);
    await breaker.probeSucceeded();
    await vi.advanceTimersByTimeAsync(60_000);
    breaker.trip("down once more");
    expect((breaker.untilAt ?? 0) - Date.now()).toBe(1_000);
  });

  test("the time open is jittered to both sides", () => {
    for (const [random, want] of [
      [0, 800],
      [0.5, 1_000],
      [1, 1_200],
    ] as const) {
      make({ jitterPercent: 20 }, () => random).trip("down");
      expect((breaker.untilAt ?? 0) - Date.now()).toBe(want);
      breaker.shutdown();
    }
  });
});
