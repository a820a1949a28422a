import { expect, test } from "vitest";
import type { Submission } from "../../../src/core/index.ts";
import { policyFor } from "../../../src/delivery/policy.ts";
import type { ClassSettings, Policy } from "../../../src/delivery/policy.ts";
import { Desk } from "./round-of.ts";

const HOUR_MS = 3_600_000;
const SINCE = Date.parse("2026-01-01T00:00:00Z");
const at = (afterMs: number): Date => new Date(SINCE + afterMs);

const settings = (giveUpAfterMs: number, more: Partial<ClassSettings> = {}): ClassSettings => ({
  giveUpAfterMs,
  onUncertain: "verify",
  afterVerify: "retry",
  whenThrottled: { maxWaitMs: 30_000 },
  hedgeAfterMs: null,
  ...more,
});
const classes = {
  otp: settings(HOUR_MS / 6, { onUncertain: "resend", whenThrottled: { maxWaitMs: 0 } }),
  transactional: settings(72 * HOUR_MS),
  bulk: settings(72 * HOUR_MS, { afterVerify: "hold" }),
};

const cases: readonly [rule: string, submission: Partial<Submission>, want: Partial<Policy>][] = [
  ["an age by its class", {}, { giveUpAt: SINCE + 72 * HOUR_MS, notBeforeAt: 0 }],
  ["a password's is short", { class: "otp" }, { giveUpAt: SINCE + HOUR_MS / 6, onUncertain: "resend" }],
  ["expiresAt ends it sooner", { expiresAt: at(5_000) }, { giveUpAt: SINCE + 5_000 }],
  ["expiresAt makes it no older", { expiresAt: at(999 * HOUR_MS) }, { giveUpAt: SINCE + 72 * HOUR_MS }],
  ["the age counts from sendAt", { sendAt: at(HOUR_MS) }, { giveUpAt: SINCE + 73 * HOUR_MS }],
  ["sendAt is waited for", { sendAt: at(HOUR_MS) }, { notBeforeAt: SINCE + HOUR_MS }],
  ["a sendAt that is over adds no age", { sendAt: at(-HOUR_MS) }, { giveUpAt: SINCE + 72 * HOUR_MS }],
  ["verify comes to its second step", { class: "bulk" }, { onUncertain: "hold" }],
  ["the message's own choice goes first", { onUncertain: "hold" }, { onUncertain: "hold" }],
  ["also where it is verify", { class: "otp", onUncertain: "verify" }, { onUncertain: "retry" }],
  ["its own wait too", { whenThrottled: { maxWaitMs: 1 } }, { whenThrottled: { maxWaitMs: 1 } }],
];

test.each(cases)("%s", (_rule, submission, want) => {
  expect(policyFor(new Desk([], submission).submission, classes, SINCE)).toMatchObject(want);
});
