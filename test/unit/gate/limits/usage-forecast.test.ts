import { expect, test } from "vitest";
import {
  QUARTER_MS,
  emptyBeforeReset,
  emptyWithinDay,
  presentRate,
} from "../../../../src/gate/limits/usage-forecast.ts";

const HOUR_MS = 3_600_000;
const NOW = Date.parse("2025-11-24T12:00Z");
const CURRENT = NOW / QUARTER_MS;

/** So many recipients in each of the last quarters. */
const steady = (count: number, recipients: number): Map<number, { messages: number; recipients: number }> =>
  new Map(Array.from({ length: count }, (_, i) => [CURRENT - 1 - i, { messages: 1, recipients }]));

test("the rate is the last hour's, of the quarter in which it began only what lies in it", () => {
  expect(presentRate(steady(20, 10), "recipients", NOW) * HOUR_MS).toBeCloseTo(40);
  expect(presentRate(steady(20, 10), "messages", NOW) * HOUR_MS).toBeCloseTo(4);
  // Seven minutes and a half later nothing has been sent in the current quarter.
  expect(presentRate(steady(20, 10), "recipients", NOW + QUARTER_MS / 2) * HOUR_MS).toBeCloseTo(35);
  expect(presentRate(new Map(), "messages", NOW)).toBe(0);
});

test("a quota is used up before its reset, or is not", () => {
  const quota = { now: NOW, used: 600, limit: 1_000, rate: 100 / HOUR_MS };
  expect(emptyBeforeReset({ ...quota, resetsAt: NOW + 5 * HOUR_MS })).toBe(NOW + 4 * HOUR_MS);
  expect(emptyBeforeReset({ ...quota, resetsAt: NOW + 4 * HOUR_MS })).toBeNull();
  expect(emptyBeforeReset({ ...quota, used: 1_000, rate: 0, resetsAt: NOW + 1 })).toBe(NOW);
  expect(emptyBeforeReset({ ...quota, rate: 0, resetsAt: NOW + 5 * HOUR_MS })).toBeNull();
});

test("in a day of any 24 hours what leaves makes room for what comes", () => {
  const evenly = { now: NOW, used: 960, limit: 1_000, rate: 40 / HOUR_MS, quarters: steady(96, 10) };
  expect(emptyWithinDay(evenly)).toBeNull();
  expect(emptyWithinDay({ ...evenly, rate: 80 / HOUR_MS })).toBeGreaterThan(NOW + HOUR_MS / 2);
  expect(emptyWithinDay({ ...evenly, rate: 80 / HOUR_MS })).toBeLessThan(NOW + 2 * HOUR_MS);
  // All of it in the last hour: nothing leaves before tomorrow.
  const late = { ...evenly, used: 400, rate: 400 / HOUR_MS, quarters: steady(4, 100) };
  expect(emptyWithinDay(late)).toBe(NOW + 1.5 * HOUR_MS);
  expect(emptyWithinDay({ ...late, used: 1_000, rate: 0 })).toBe(NOW);
  expect(emptyWithinDay({ ...late, rate: 0 })).toBeNull();
});
