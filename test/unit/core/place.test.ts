import { expect, test } from "vitest";
import { placeOf } from "../../../src/core/index.ts";

const ids = Array.from({ length: 20_000 }, (_, index) => `0mq${index.toString(32)}`);

test("places are spread evenly over messages, whatever their ids have in common", () => {
  const tenths = Array.from({ length: 10 }, () => 0);
  for (const id of ids) {
    const place = placeOf(id, "ramp primary");
    expect(place).toBeGreaterThanOrEqual(0);
    expect(place).toBeLessThan(1);
    const tenth = Math.floor(place * 10);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  // 2,000 each; the standard deviation is 42.
  for (const count of tenths) expect(Math.abs(count - 2_000)).toBeLessThan(250);
});

test("a message has the same place each time, and another one for another purpose", () => {
  expect(ids.map((id) => placeOf(id, "a"))).toEqual(ids.map((id) => placeOf(id, "a")));
  const both = ids.filter((id) => placeOf(id, "a") < 0.5 && placeOf(id, "b") < 0.5).length;
  // A quarter of them, as of two throws of a coin.
  expect(Math.abs(both - 5_000)).toBeLessThan(400);
});
