import fc from "fast-check";
import { expect, test } from "vitest";
import { DurationWindow } from "../../../src/gate/duration-window.ts";
import { Durations } from "../../../src/gate/durations.ts";

const durationsMs = fc.array(fc.double({ min: 1, max: 3_600_000, noNaN: true }), { minLength: 1, maxLength: 200 });

function durationsOf(values: readonly number[]): Durations {
  const durations = new Durations();
  for (const value of values) durations.add(value);
  return durations;
}

function exactPercentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

test("a percentile is the true one, or up to 5 % below it", () => {
  fc.assert(
    fc.property(durationsMs, fc.constantFrom(1, 50, 95, 99, 100), (values, percent) => {
      const exact = exactPercentile(values, percent);
      const found = durationsOf(values).percentile(percent);
      expect(found).toBeLessThanOrEqual(exact * 1.000_001);
      expect(found).toBeGreaterThan(exact / 1.050_001);
    }),
  );
});

test("of none there is no percentile", () => {
  expect(new Durations().percentile(95)).toBeNaN();
});

test("the shortest and the longest are counted as a millisecond and an hour", () => {
  expect(durationsOf([-5, 0, 0.2]).percentile(100)).toBe(1);
  expect(durationsOf([Infinity]).percentile(100)).toBeGreaterThan(3_400_000);
});

test("what is merged can be taken out again, and fading changes no percentile", () => {
  fc.assert(
    fc.property(durationsMs, durationsMs, (some, others) => {
      const both = durationsOf(some);
      both.merge(durationsOf(others));
      expect(both.percentile(95)).toBe(durationsOf([...some, ...others]).percentile(95));
      both.merge(durationsOf(others), -1);
      expect(both.count).toBe(some.length);
      expect(both.percentile(95)).toBe(durationsOf(some).percentile(95));
      both.fade(0.5);
      expect(both.count).toBe(some.length / 2);
      expect(both.percentile(95)).toBe(durationsOf(some).percentile(95));
    }),
  );
});

test("a copy goes its own way", () => {
  const original = durationsOf([10]);
  const copy = new Durations();
  copy.add(7);
  copy.become(original);
  copy.add(1_000);
  expect(original.count).toBe(1);
  expect(copy.percentile(100)).toBeGreaterThan(900);
});

test("a window holds what began within it, to a tenth of it, and hands over each duration once", () => {
  const steps = fc.array(
    fc.record({
      afterMs: fc.integer({ min: 0, max: 4_000 }),
      tookMs: fc.integer({ min: 1, max: 9_999 }),
    }),
    { maxLength: 100 },
  );
  fc.assert(
    fc.property(steps, (entries) => {
      const window = new DurationWindow(10_000);
      const beganAt: number[] = [];
      let now = 20_000;
      let leftCount = 0;
      const moveOn = (): void => {
        leftCount += window.advance(now).reduce((count, durations) => count + durations.count, 0);
      };
      for (const { afterMs, tookMs } of entries) {
        now += afterMs;
        moveOn();
        window.add(tookMs, now - tookMs);
        beganAt.push(now - tookMs);
        moveOn();
        expect(window.all.count).toBe(beganAt.length - leftCount);
        expect(window.all.count).toBeGreaterThanOrEqual(beganAt.filter((at) => now - at < 9_000).length);
        expect(window.all.count).toBeLessThanOrEqual(beganAt.filter((at) => now - at < 10_000).length);
      }
      window.clear();
      expect(window.all.count).toBe(0);
      expect(window.advance(now + 20_000)).toEqual([]);
    }),
  );
});
