import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import type { DeliveryRecord } from "../../../src/core/index.ts";
import { ADVICE, adviceFor, GENERAL_ADVICE } from "../../../src/message/report-advice.ts";
import { failedRecipients } from "../../../src/message/report-recipient.ts";
import { attemptOf, recipient, recordOf } from "./report-fixture.ts";

const http = "HTTP 413: Payload Too Large";
const revoked = attemptOf({ cause: "auth", status: "5.7.8", reply: "535 5.7.8 Key revoked", stage: "auth" });
const busy = attemptOf({ outcome: "deferred", cause: "busy", status: "4.2.0", reply: "451 4.2.0 Greylisted" });
const tooLarge = attemptOf({ cause: "size", status: "5.3.4", reply: http, stage: "http" });
const relayed = attemptOf({ outcome: "relayed", stage: null, cause: null, status: null, reply: "250 2.0.0 Ok" });
const waited = recipient({ provider: null, reason: "it last waited because of relay: 451 4.2.0 Greylisted" });
const left = recipient({ provider: null, reason: "no provider can take this message: relay: drained" });

const cases: readonly [rule: string, record: Partial<DeliveryRecord>, status: string, diagnostic: string][] = [
  ["a refusal has the status of its reply", {}, "5.1.1", "550 5.1.1 No such user"],
  [
    "a refusal of one recipient, while others were relayed, too",
    { status: "relayed", attempts: [relayed] },
    "5.1.1",
    "550 5.1.1 No such user",
  ],
  [
    "a reply without a status has that of its attempt",
    { recipients: [recipient({ reason: http })], attempts: [tooLarge] },
    "5.3.4",
    http,
  ],
  [
    "or the class of its code",
    { recipients: [recipient({ reason: "553 go away" })], attempts: [relayed] },
    "5.0.0",
    "553 go away",
  ],
  [
    "or is for good, where nothing is known",
    { recipients: [recipient({ reason: "HTTP 400: no" })], attempts: [] },
    "5.0.0",
    "HTTP 400: no",
  ],
  [
    "a status of success is none",
    { recipients: [recipient({ reason: "250 2.1.5 fine" })], attempts: [] },
    "5.0.0",
    "250 2.1.5 fine",
  ],
  [
    "an expired message has expired, whatever the last reply was about",
    { status: "expired", recipients: [waited], attempts: [busy, revoked] },
    "4.4.7",
    "535 5.7.8 Key revoked",
  ],
  [
    "what expired with no attempt has no reply",
    {
      status: "expired",
      recipients: [recipient({ provider: null, reason: "no attempt was made in time" })],
      attempts: [],
    },
    "4.4.7",
    "no attempt was made in time",
  ],
  [
    "what was accepted of the last attempt is no reason",
    { status: "relayed", recipients: [waited], attempts: [relayed] },
    "4.4.7",
    waited.reason!,
  ],
  ["with no provider left it cannot be routed", { recipients: [left], attempts: [] }, "5.4.4", left.reason!],
  ["unless all refused the message itself", { recipients: [left], attempts: [tooLarge] }, "5.3.4", http],
];

describe("the status and diagnostic of a failed recipient", () => {
  test.each(cases)("%s", (_, record, status, diagnostic) => {
    const [failed] = failedRecipients(recordOf(record));
    expect(failed).toMatchObject({ status, diagnostic, isSmtp: /^\d/.test(diagnostic) });
  });

  test("the attempt is the one that refused it, not the latest", () => {
    const later = attemptOf({ number: 2, provider: "other", endedAt: "2026-11-24T09:00:00.000Z" });
    const [failed] = failedRecipients(recordOf({ attempts: [attemptOf(), later] }));
    expect(failed!.lastAttemptAt?.toISOString()).toBe("2026-11-24T03:00:01.000Z");
  });

  test("it has no attempt where none was made", () => {
    expect(failedRecipients(recordOf({ attempts: [] }))[0]!.lastAttemptAt).toBeNull();
  });
});

describe("the advice", () => {
  test.each([
    ["5.1.1", "Check the address for typing errors"],
    ["5.1.10", "Check the address for typing errors"],
    ["5.2.2", "The mailbox is full"],
    ["5.2.3", "The message is too large"],
    ["5.2.1", "does not take mail"],
    ["5.3.4", "The message is too large"],
    ["5.6.0", "The message itself was refused"],
    ["5.7.1", "not let in"],
    ["4.4.7", "Send it again later"],
    ["5.4.4", "No provider"],
    ["5.0.0", GENERAL_ADVICE],
  ])("for %s", (status, want) => {
    expect(adviceFor(status)).toContain(want);
  });

  test("is in docs/delivery-reports.md, row by row", () => {
    const docs = readFileSync(new URL("../../../docs/delivery-reports.md", import.meta.url), "utf8");
    const rows = ADVICE.map(({ statuses, advice }) => `| ${statuses.map((s) => `\`${s}\``).join(", ")} | ${advice} |`);
    const table = [...rows, `| any other | ${GENERAL_ADVICE} |`].join("\n");
    expect(docs).toContain(`|---|---|\n${table}\n`);
  });
});
