import { describe, expect, test } from "vitest";
import type { AttemptRecord } from "../../../src/core/index.ts";
import type { LedgerEvent } from "../../../src/ledger/event.ts";
import { fold } from "../../../src/ledger/fold.ts";
import { formatTrace } from "../../../src/operations/trace.ts";

const at = Date.parse("2026-11-24T05:00:00.000Z");
const by = "gw:7";

const received: LedgerEvent = {
  type: "message.received",
  at,
  by,
  messageId: "<m1@contoso.example>",
  class: "bulk",
  recipients: ["ann@example.org"],
};

const attempt: AttemptRecord = {
  number: 1,
  provider: "relay",
  startedAt: "2026-11-24T05:00:00.000Z",
  endedAt: "2026-11-24T05:00:01.200Z",
  outcome: "deferred",
  stage: "rcpt",
  cause: "busy",
  status: "4.2.0",
  reply: "450-4.2.0 Greylisted,\r\n450 4.2.0 come again",
  remoteId: null,
  remedy: null,
};

const linesOf = (...events: readonly LedgerEvent[]): string[] => {
  const log = [received, ...events];
  return formatTrace({ jobId: "42", record: fold("m1", log), log }).split("\n");
};

describe("what happened, who did it, and when, one line each", () => {
  const cases: readonly [what: string, event: LedgerEvent, want: string][] = [
    [
      "an attempt that began",
      { type: "attempt.started", at, by, number: 1, provider: "relay" },
      "attempt 1 at relay started",
    ],
    [
      "a reply of two lines, word for word",
      { type: "attempt.ended", at, by, attempt, change: {} },
      "attempt 1 at relay deferred, busy at rcpt, in 1200 ms: 450-4.2.0 Greylisted, 450 4.2.0 come again",
    ],
    [
      "a remedy",
      { type: "attempt.ended", at, by, attempt: { ...attempt, cause: "auth", remedy: "Renew it." }, change: {} },
      "attempt 1 at relay deferred, auth at rcpt, in 1200 ms: 450-4.2.0 Greylisted, 450 4.2.0 come again To mend it: Renew it.",
    ],
    [
      "a success",
      {
        type: "attempt.ended",
        at,
        by,
        attempt: { ...attempt, outcome: "relayed", stage: null, cause: null, reply: "250 Ok" },
        change: {},
      },
      "attempt 1 at relay relayed, in 1200 ms: 250 Ok",
    ],
    [
      "a deferral",
      {
        type: "message.deferred",
        at,
        by,
        change: { status: "deferred", reason: "relay: busy", nextAttemptAt: "2026-11-24T06:00:00.000Z" },
      },
      "deferred: relay: busy, until 2026-11-24T06:00:00.000Z",
    ],
    [
      "a reason that begins with the word",
      { type: "message.held", at, by, change: { status: "held", reason: "held: relay may have it" } },
      "held: relay may have it",
    ],
    ["a release", { type: "message.released", at, by, change: { status: "held" } }, "released"],
    [
      "a cancellation",
      { type: "message.cancelled", at, by, change: { status: "cancelled", reason: "no longer wanted" } },
      "cancelled: no longer wanted",
    ],
  ];
  test.each(cases)("%s", (_what, event, want) => {
    expect(linesOf(event).at(-1)).toBe(`2026-11-24T05:00:00.000Z  gw:7  ${want}`);
  });
});

test("above the log stand the message and its recipients, as they are now", () => {
  const recipients = [
    { address: "ann@example.org", status: "refused", provider: "relay", reason: "550 5.1.1\r\nno such user" },
  ] as const;
  const lines = linesOf({
    type: "message.bounced",
    at,
    by: "gw-with-a-long-name:7",
    change: { status: "bounced", reason: "550 5.1.1 no such user", recipients, possibleDuplicate: true },
  });
  expect(lines).toEqual([
    "m1  job 42  bounced: 550 5.1.1 no such user",
    "Message-ID <m1@contoso.example>",
    "a second copy may exist",
    "  ann@example.org  refused by relay: 550 5.1.1 no such user",
    "2026-11-24T05:00:00.000Z  gw:7                   received, class bulk, for 1 recipients",
    "2026-11-24T05:00:00.000Z  gw-with-a-long-name:7  bounced: 550 5.1.1 no such user",
  ]);
});
