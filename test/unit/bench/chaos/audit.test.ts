import { describe, expect, test } from "vitest";
import { examine } from "../../../../bench/chaos/audit.ts";
import type { Evidence } from "../../../../bench/chaos/audit.ts";
import type { AcceptedMessage } from "../../../../src/lab/index.ts";

const recipient = "ann@r0.example";
const GAP = { fromAt: 10_000, untilAt: 11_200 };
const BEFORE_GAP = 9_000;
const IN_GAP = 10_500;
const AFTER_GAP = 20_000;

/** A message that was relayed once all was over, accepted at these instants. */
function relayedOnce(acceptedAt: readonly number[], possibleDuplicate = false): Evidence {
  const change = {
    status: "relayed",
    provider: "relay-1",
    attemptCount: 1,
    possibleDuplicate,
    recipients: [{ address: recipient, status: "relayed", provider: "relay-1", reason: null }],
  } as const;
  const job = { returnvalue: { id: "a", ...change }, progress: {} } as unknown as Evidence["job"];
  return {
    jobId: "chaos-1",
    pushedAt: BEFORE_GAP,
    job,
    state: "completed",
    id: "a",
    log: [
      {
        type: "message.received",
        at: BEFORE_GAP,
        by: "worker",
        messageId: "<a@r0.example>",
        class: "bulk",
        recipients: [recipient],
      },
      { type: "message.relayed", at: AFTER_GAP, by: "worker", change },
    ],
    status: "relayed",
    openAttempt: "",
    accepted: acceptedAt.map((at) => ({ acceptedAt: at, rcptTo: [recipient] }) as unknown as AcceptedMessage),
  };
}

function goneAt(pushedAt: number): Evidence {
  return { ...relayedOnce([]), pushedAt, job: null, state: "gone", id: null, log: [], status: "" };
}

describe("a second copy without a mark", () => {
  const rows: readonly [what: string, acceptedAt: readonly number[], forgotten: number, problems: readonly string[]][] =
    [
      ["none is no problem", [AFTER_GAP], 0, []],
      ["is Redis' fault where it forgot the first", [AFTER_GAP, IN_GAP], 1, []],
      ["or where that was accepted just after the cut", [GAP.untilAt + 500, AFTER_GAP], 1, []],
      [
        "is ours where Redis still knew of the first",
        [BEFORE_GAP, AFTER_GAP],
        0,
        ["1 copies too many, and not marked"],
      ],
      ["is ours where only the second is forgotten", [BEFORE_GAP, IN_GAP], 0, ["1 copies too many, and not marked"]],
      ["is ours where both came long after", [AFTER_GAP, AFTER_GAP + 1], 0, ["1 copies too many, and not marked"]],
      ["one forgotten explains no third", [IN_GAP, AFTER_GAP, AFTER_GAP + 1], 1, ["1 copies too many, and not marked"]],
    ];
  for (const [what, acceptedAt, forgottenCopyCount, problems] of rows) {
    test(what, () => {
      expect(examine(relayedOnce(acceptedAt), [GAP])).toMatchObject({ forgottenCopyCount, problems });
    });
  }

  test("is always ours where Redis forgot nothing", () => {
    expect(examine(relayedOnce([IN_GAP, AFTER_GAP])).problems).toEqual(["1 copies too many, and not marked"]);
  });

  test("is no forgotten one with a mark", () => {
    const finding = examine(relayedOnce([IN_GAP, AFTER_GAP], true), [GAP]);
    expect(finding).toMatchObject({ copyCount: 1, forgottenCopyCount: 0, problems: [] });
  });
});

test("a message may be gone only where it was acknowledged in the time that Redis forgot", () => {
  expect(examine(goneAt(IN_GAP), [GAP])).toMatchObject({ end: "gone", problems: [] });
  for (const pushedAt of [BEFORE_GAP, AFTER_GAP]) {
    expect(examine(goneAt(pushedAt), [GAP]).problems).toEqual([
      `gone, although it was acknowledged ${pushedAt - GAP.fromAt} ms after what Redis forgot began, ` +
        `${pushedAt - GAP.untilAt} ms after its cut`,
    ]);
  }
});
