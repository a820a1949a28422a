import { describe, expect, test } from "vitest";
import { readDurations } from "../../../src/config/duration.ts";
import { formatDuration, parseDuration } from "../../../src/config/index.ts";

describe("reading", () => {
  const cases: readonly [text: string, durationMs: number | null][] = [
    ["250ms", 250],
    ["30s", 30_000],
    ["10m", 600_000],
    ["72h", 259_200_000],
    ["7d", 604_800_000],
    ["1.5h", 5_400_000],
    ["10 s", 10_000],
    [" 5000 ", 5000],
    ["0", 0],
    ["", null],
    ["s", null],
    ["30 sec", null],
    ["-1s", null],
    ["1h30m", null],
    ["1e3", null],
  ];
  test.each(cases)("%j", (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });
});

test.each([0, 1, 999, 1000, 90_000, 3_600_000, 259_200_000, 5_400_000, 1001])(
  "%d ms is written so that it reads the same",
  (durationMs) => {
    expect(parseDuration(formatDuration(durationMs))).toBe(durationMs);
  },
);

test("the largest exact unit is used", () => {
  expect([90_000, 3_600_000, 86_400_000, 1500, 0].map(formatDuration)).toEqual(["90s", "1h", "1d", "1500ms", "0ms"]);
});

test("texts are read under keys that end in Ms only, in lists and groups as well", () => {
  const { tree, bad } = readDurations({
    openMs: "5s",
    delaysMs: ["1s", 2, "soon"],
    name: "5s",
    deep: { waitMs: "1m" },
  });
  expect(tree).toEqual({ openMs: 5000, delaysMs: [1000, 2, "soon"], name: "5s", deep: { waitMs: 60_000 } });
  expect(bad).toEqual([{ path: ["delaysMs", "2"], text: "soon" }]);
});
