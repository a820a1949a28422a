import fc from "fast-check";
import { expect, test } from "vitest";
import { ClockOffset } from "../../../../src/gate/fleet/clock-offset.ts";

/** One question: how long it was under way, and how long its answer. */
const question = fc.record({ thereMs: fc.nat(5_000), backMs: fc.nat(5_000), pauseMs: fc.nat(5_000) });

test("an instant of the other clock is known to within the quickest answer so far, whatever the clocks say", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1e9, max: 1e9 }),
      fc.array(question, { minLength: 1, maxLength: 20 }),
      (aheadMs, questions) => {
        const offset = new ClockOffset();
        let now = 1_800_000_000_000;
        let quickestMs = Infinity;
        for (const { thereMs, backMs, pauseMs } of questions) {
          now += pauseMs;
          const sentAt = now + aheadMs;
          const theirs = now + thereMs;
          now = theirs + backMs;
          offset.measure(sentAt, now + aheadMs, theirs);
          quickestMs = Math.min(quickestMs, thereMs + backMs);
          expect(Math.abs(offset.toOwn(theirs) - (theirs + aheadMs))).toBeLessThanOrEqual(quickestMs + 1);
        }
      },
    ),
  );
});

test("a slow answer does not spoil what a quick one told", () => {
  const offset = new ClockOffset();
  offset.measure(10_000, 10_002, 5_001);
  const known = offset.toOwn(0);
  offset.measure(20_000, 29_000, 15_500);
  expect(offset.toOwn(0)).toBe(known);
});

test("a clock that was set is found out by the next answer", () => {
  const offset = new ClockOffset();
  offset.measure(10_000, 10_002, 10_001);
  offset.measure(3_610_000, 3_610_002, 10_001);
  expect(Math.abs(offset.toOwn(0) - 3_600_000)).toBeLessThanOrEqual(2);
});
