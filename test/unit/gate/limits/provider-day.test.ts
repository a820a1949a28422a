import fc from "fast-check";
import { expect, test } from "vitest";
import { dayAt, monthAt } from "../../../../src/gate/limits/provider-day.ts";

const iso = (at: number): string => new Date(at).toISOString().replace(":00.000Z", "Z");
const day = (now: string, time: string, timeZone: string): string[] => {
  const { label, startAt, endAt } = dayAt(Date.parse(now), { time, timeZone });
  return [label, iso(startAt), iso(endAt)];
};

test.each([
  ["a day of UTC", "2025-11-24T12:00Z", "00:00", "UTC", ["2025-11-24", "2025-11-24T00:00Z", "2025-11-25T00:00Z"]],
  ["its first moment", "2025-11-24T00:00Z", "00:00", "UTC", ["2025-11-24", "2025-11-24T00:00Z", "2025-11-25T00:00Z"]],
  [
    "before the reset it is the day before",
    "2025-11-24T16:59Z",
    "17:00",
    "UTC",
    ["2025-11-23", "2025-11-23T17:00Z", "2025-11-24T17:00Z"],
  ],
  [
    "in Tokyo it begins before ours",
    "2025-11-24T15:30Z",
    "00:00",
    "Asia/Tokyo",
    ["2025-11-25", "2025-11-24T15:00Z", "2025-11-25T15:00Z"],
  ],
  [
    "with 45 minutes",
    "2025-11-24T12:00Z",
    "00:00",
    "Asia/Kathmandu",
    ["2025-11-24", "2025-11-23T18:15Z", "2025-11-24T18:15Z"],
  ],
  [
    "the day on which clocks go forward has 23 hours",
    "2025-03-30T12:00Z",
    "00:00",
    "Europe/Berlin",
    ["2025-03-30", "2025-03-29T23:00Z", "2025-03-30T22:00Z"],
  ],
  [
    "the day on which they go back has 25",
    "2025-10-26T12:00Z",
    "00:00",
    "Europe/Berlin",
    ["2025-10-26", "2025-10-25T22:00Z", "2025-10-26T23:00Z"],
  ],
  [
    "a reset in the hour that is left out comes after it",
    "2025-03-30T12:00Z",
    "02:30",
    "Europe/Berlin",
    ["2025-03-30", "2025-03-30T01:30Z", "2025-03-31T00:30Z"],
  ],
  [
    "a reset in the hour that comes twice is the first of them",
    "2025-10-26T12:00Z",
    "02:30",
    "Europe/Berlin",
    ["2025-10-26", "2025-10-26T00:30Z", "2025-10-27T01:30Z"],
  ],
  ["a year ends", "2025-12-31T23:30Z", "00:00", "UTC", ["2025-12-31", "2025-12-31T00:00Z", "2026-01-01T00:00Z"]],
])("%s", (_rule, now, time, timeZone, want) => {
  expect(day(now, time, timeZone)).toEqual(want);
});

test.each([
  ["in UTC", "2025-11-24T12:00Z", null, ["2025-11", "2025-11-01T00:00Z", "2025-12-01T00:00Z"]],
  [
    "in a zone, whose month begins earlier",
    "2025-11-30T20:00Z",
    "Asia/Tokyo",
    ["2025-12", "2025-11-30T15:00Z", "2025-12-31T15:00Z"],
  ],
  [
    "over a change of the clocks",
    "2025-03-10T00:00Z",
    "Europe/Berlin",
    ["2025-03", "2025-02-28T23:00Z", "2025-03-31T22:00Z"],
  ],
  ["at the end of a year", "2025-12-31T23:59Z", null, ["2025-12", "2025-12-01T00:00Z", "2026-01-01T00:00Z"]],
])("a month %s", (_rule, now, timeZone, want) => {
  const { label, startAt, endAt } = monthAt(Date.parse(now), timeZone === null ? null : { time: "17:00", timeZone });
  expect([label, iso(startAt), iso(endAt)]).toEqual(want);
});

const zones = [
  "UTC",
  "Asia/Tokyo",
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "America/Havana",
  "Asia/Kolkata",
];
const time = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
  .map((parts) => parts.map((part) => String(part).padStart(2, "0")).join(":"));

test("every instant lies in one day and one month, and the next begin where they end", () => {
  const from = Date.parse("2024-01-01T00:00Z");
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      time,
      fc.integer({ min: 0, max: 3 * 366 * 86_400_000 }),
      (timeZone, at, after) => {
        const now = from + after;
        for (const periodAt of [dayAt, monthAt]) {
          const period = periodAt(now, { time: at, timeZone });
          expect(period.startAt).toBeLessThanOrEqual(now);
          expect(period.endAt).toBeGreaterThan(now);
          const next = periodAt(period.endAt, { time: at, timeZone });
          expect(next.startAt).toBe(period.endAt);
          expect(next.label > period.label).toBe(true);
          expect(periodAt(period.endAt - 1, { time: at, timeZone })).toEqual(period);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});
