import { expect, test } from "vitest";
import { backoffMs } from "../../../src/delivery/backoff.ts";

const settings = { delaysMs: [30_000, 60_000, 120_000], otpDelaysMs: [2_000, 5_000], jitterPercent: 20 };

const cases: readonly [rule: string, ...parameters: Parameters<typeof backoffMs>, want: number][] = [
  ["the first wait", settings, "transactional", 0, () => 0.5, 30_000],
  ["the third", settings, "transactional", 2, () => 0.5, 120_000],
  ["the last one repeats", settings, "bulk", 500, () => 0.5, 120_000],
  ["passwords have waits of their own", settings, "otp", 9, () => 0.5, 5_000],
  ["shortest by chance", settings, "transactional", 0, () => 0, 24_000],
  ["longest by chance", settings, "transactional", 0, () => 1, 36_000],
  ["without jitter it is exact", { ...settings, jitterPercent: 0 }, "transactional", 1, () => 0, 60_000],
];

test.each(cases)("%s", (_rule, table, messageClass, deferralCount, random, want) => {
  expect(backoffMs(table, messageClass, deferralCount, random)).toBe(want);
});
