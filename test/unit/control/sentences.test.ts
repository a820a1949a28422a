import { describe, expect, test } from "vitest";
import { sentenceOf } from "../../../src/cli/control.ts";
import type { Action, Change } from "../../../src/control/change.ts";
import type { ControlAnswer } from "../../../src/control/control.ts";
import { NO_FIGURES } from "../../../src/control/cutover.ts";
import type { Cutover } from "../../../src/control/cutover.ts";
import { describeCutover } from "../../../src/control/describe-cutover.ts";
import { describeChange } from "../../../src/control/describe.ts";
import { heldAfter, NO_CHANGES } from "../../../src/control/state.ts";
import { planOf } from "./plans.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");
const MINUTE_MS = 60_000;

function changeOf(action: Action, reason = "invoices are late"): Change {
  return { ...action, by: "ann@desk", reason, version: 17, at: NOON };
}

function doneBy(action: Action): ControlAnswer {
  const change = changeOf(action);
  return { kind: "done", change, holds: heldAfter(NO_CHANGES, change) };
}

describe("an answer says what holds, until when, and what undoes it", () => {
  const untilAt = NOON + 120 * MINUTE_MS;
  const cases: readonly [action: Action, want: string][] = [
    [
      { action: "drain", provider: "sendgrid", untilAt },
      "sendgrid gets no mail until 2026-11-24T14:00:00.000Z (change 17); to undo it: mailover resume sendgrid",
    ],
    [
      { action: "resume", provider: "sendgrid" },
      'sendgrid is not drained (change 17); to undo it: mailover rollback 17 --reason "..."',
    ],
    [
      { action: "prefer", provider: "relay", untilAt: null },
      "relay goes before all others (change 17); to undo it: mailover prefer --none",
    ],
    [
      { action: "weight", provider: "relay", value: 3, untilAt: null },
      'relay has the weight 3 (change 17); to undo it: mailover rollback 17 --reason "..."',
    ],
    [
      { action: "cutover.started", plan: planOf({ when: { class: "bulk", tenant: "7" } }) },
      "5 % of mail of class bulk and tenant 7 goes to sendgrid first (change 17); to undo it: mailover cutover --stop --to sendgrid",
    ],
    [
      { action: "rollback", undoes: 9, restores: { slot: "preference", value: null } },
      'no provider is preferred (change 17); to undo it: mailover rollback 17 --reason "..."',
    ],
  ];
  test.each(cases)("$action", (action, want) => {
    expect(sentenceOf(doneBy(action))).toBe(want);
  });

  test("or why it was not done, and what does it all the same", () => {
    const refused = { kind: "refused", code: "all-mail-waits", sentence: "relay is the last" } as const;
    expect(sentenceOf(refused)).toBe("relay is the last; if it is to: --all-mail-waits");
    expect(sentenceOf({ kind: "unchanged", sentence: "relay is not drained" })).toBe(
      "relay is not drained: nothing was changed",
    );
  });
});

test("the log says of each change what it did and why", () => {
  const sentences = [
    changeOf({ action: "drain", provider: "relay", untilAt: NOON }),
    changeOf({ action: "unprefer" }, ""),
    changeOf({ action: "weight", provider: "relay", value: null, untilAt: null }),
    changeOf({ action: "rollback", undoes: 9, restores: { slot: "drain", provider: "relay", value: null } }),
    changeOf({ action: "cutover.started", plan: planOf() }),
    changeOf({ action: "cutover.stepped", provider: "sendgrid", step: 1, percent: 25 }, "50 seen"),
    changeOf({ action: "cutover.rolled-back", provider: "sendgrid", step: 1, percent: 0 }, "9 of 50 failed"),
  ].map(describeChange);
  expect(sentences).toEqual([
    "relay is drained until 2026-11-24T12:00:00.000Z (invoices are late)",
    "no provider is preferred",
    "the weight of relay is as configured (invoices are late)",
    "change 9 is undone: relay is not drained (invoices are late)",
    "all mail moves to sendgrid in steps of 5, 25, 50, 100 %, one every 10 min (invoices are late)",
    "cutover to sendgrid at 25 % (50 seen)",
    "cutover to sendgrid went back by itself (9 of 50 failed)",
  ]);
});

describe("the status of a cutover says what it waits for", () => {
  const begun = { by: "ann@desk", reason: "the new contract", startedAt: NOON, since: NOON, version: 1 } as const;
  const cutover: Cutover = { ...begun, plan: planOf(), phase: "running", step: 1, note: "" };
  const figures = { okCount: 111, failedCount: 1, slowCount: 2 };

  test("its time", () => {
    expect(describeCutover(cutover, figures, NOON)).toEqual([
      "cutover to sendgrid: 25 % of all mail goes to sendgrid first, step 2 of 4 since 2026-11-24T12:00:00.000Z",
      "  112 seen, 1 failed, 2 took longer than 30 s; goes on to 50 %, not before 2026-11-24T12:10:00.000Z",
      "  goes back when more than 2 % fail, or more than 5 % take longer than 30 s",
      "  begun by ann@desk at 2026-11-24T12:00:00.000Z (the new contract)",
    ]);
  });

  test("its messages, or nothing more", () => {
    const later = NOON + 10 * MINUTE_MS;
    expect(describeCutover(cutover, { ...NO_FIGURES, okCount: 20 }, later)[1]).toContain(
      "goes on to 50 %, after 30 more messages",
    );
    expect(describeCutover({ ...cutover, step: 3 }, figures, later)[1]).toContain("is done, within seconds");
  });

  test("and why one is over", () => {
    const back: Cutover = { ...cutover, phase: "rolled back", note: "9 of 50 failed, more than 2 %" };
    expect(describeCutover(back, figures, NOON)[0]).toBe(
      "cutover to sendgrid rolled back at 2026-11-24T12:00:00.000Z: 9 of 50 failed, more than 2 %",
    );
  });
});
