import { expect, test } from "vitest";
import { freshPriority, retriedPriority, sortTo } from "../../../src/queue/priority.ts";

test("urgent classes go first, and fresh mail of a class before its retries", () => {
  const order = (["otp", "transactional", "bulk"] as const).flatMap((each) => [
    freshPriority(each),
    retriedPriority(each),
  ]);
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(new Set(order).size).toBe(6);
  // 0 stands for a job without a priority, which BullMQ takes first.
  expect(Math.min(...order)).toBeGreaterThan(0);
});

const cases: readonly [what: string, data: unknown, priority: number, sorted: number | null][] = [
  ["a password is never sent back", { class: "otp" }, 0, null],
  ["a job without a priority is sorted by its class", { class: "bulk" }, 0, freshPriority("bulk")],
  ["no class is transactional", {}, 0, freshPriority("transactional")],
  ["an unknown class is too: its job is refused later", { class: "urgent" }, 0, freshPriority("transactional")],
  ["data that is no object is too", null, 0, freshPriority("transactional")],
  ["a priority that its class does not have is corrected", { class: "bulk" }, 1, freshPriority("bulk")],
  ["fresh mail is worked on as it is", { class: "bulk" }, freshPriority("bulk"), null],
  ["retried mail too, so that it is not sorted for ever", { class: "bulk" }, retriedPriority("bulk"), null],
];

test.each(cases)("%s", (_what, data, priority, sorted) => expect(sortTo(data, priority)).toBe(sorted));
