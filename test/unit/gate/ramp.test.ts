import fc from "fast-check";
import { expect, test } from "vitest";
import { rampAt } from "../../../src/gate/ramp.ts";

const settings = { percents: [5, 25, 50], stepMs: 1_000 };

const cases: readonly [rule: string, now: number, share: number, nextAt: number | null][] = [
  ["it begins with the first step", 10_000, 0.05, 11_000],
  ["a step lasts until its end", 10_999, 0.05, 11_000],
  ["then the next one begins", 11_000, 0.25, 12_000],
  ["the last step has an end, too", 12_999, 0.5, 13_000],
  ["after it the provider gets everything", 13_000, 1, null],
  ["and keeps it", 1e12, 1, null],
  ["a clock that was set back finds the first step", 0, 0.05, 11_000],
];

test.each(cases)("%s", (_rule, now, share, nextAt) => {
  expect(rampAt(settings, 10_000, now)).toEqual({ share, nextAt });
});

test("without steps it is over as it begins", () => {
  expect(rampAt({ percents: [], stepMs: 1_000 }, 10_000, 10_000)).toEqual({ share: 1, nextAt: null });
});

test("whatever the steps: to look at each `nextAt` leads through all of them, growing, to the end", () => {
  const percents = fc
    .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 20 })
    .map((some) => some.toSorted((one, other) => one - other));
  fc.assert(
    fc.property(percents, fc.integer({ min: 1, max: 3_600_000 }), fc.nat(2 ** 42), (steps, stepMs, startedAt) => {
      const shares: number[] = [];
      let at: number | null = startedAt;
      while (at !== null) {
        const position = rampAt({ percents: steps, stepMs }, startedAt, at);
        shares.push(Math.round(position.share * 100));
        at = position.nextAt;
      }
      expect(shares).toEqual([...steps, 100]);
    }),
  );
});
