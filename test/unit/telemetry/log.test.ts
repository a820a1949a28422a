import { describe, expect, test } from "vitest";
import type { DeliveryRecord, GatewayEvent } from "../../../src/core/index.ts";
import { Log } from "../../../src/telemetry/log.ts";

const SECRET = "ann@example.org";
const reply = `550 5.1.1 <${SECRET}>: no\r\n\u001b[31mINFO all is well`;

const record: DeliveryRecord = {
  status: "deferred",
  id: "m1",
  messageId: `<${SECRET}>`,
  provider: "relay",
  remoteId: SECRET,
  recipients: [{ address: SECRET, status: "pending", provider: null, reason: reply }],
  attempts: [],
  attemptCount: 1,
  deferralCount: 1,
  skipped: [],
  reason: reply,
  nextAttemptAt: "2026-01-01T00:00:00.000Z",
  possibleDuplicate: false,
  uncertainAt: null,
  unsettled: false,
  lookupCount: 0,
  refusedBy: [],
  throttledSince: null,
  metadata: { customer: SECRET },
};

const ended = {
  id: "m1",
  attempt: 1,
  provider: "relay",
  stage: "rcpt",
  cause: "recipient",
  status: "5.1.1",
  reply,
  rule: null,
  remedy: null,
  durationMs: 12,
} as const;

const moved = { id: "m1", jobId: SECRET, tags: [], tenant: null };

const events: readonly [level: string, event: GatewayEvent][] = [
  ["info", { type: "message.received", id: "m1", messageId: `<${SECRET}>`, jobId: SECRET }],
  ["warn", { type: "message.refused", jobId: SECRET, reason: `to[0]: "${SECRET}" is no address` }],
  ["debug", { type: "attempt.started", id: "m1", attempt: 1, provider: "relay" }],
  ["debug", { type: "attempt.ended", ...ended, outcome: "relayed", cause: null }],
  ["warn", { type: "attempt.ended", ...ended, outcome: "rejected" }],
  ["info", { type: "message.relayed", ...moved, record: { ...record, status: "relayed" } }],
  ["info", { type: "message.deferred", ...moved, record }],
  ["info", { type: "message.held", ...moved, record: { ...record, status: "held" } }],
  ["warn", { type: "message.bounced", ...moved, record: { ...record, status: "bounced" } }],
  ["warn", { type: "message.expired", ...moved, record: { ...record, status: "expired" } }],
  [
    "error",
    { type: "breaker.changed", provider: "relay", from: "closed", to: "open", reason: reply, remedy: null, untilAt: 0 },
  ],
  ["info", { type: "probe.ended", provider: "relay", ok: false, stage: "auth", reason: reply }],
  ["warn", { type: "gate.paused", provider: "relay", cause: "throttled", untilAt: 0, reason: reply }],
  ["info", { type: "provider.noticed", provider: "relay", notice: "token.renewed", fields: { lifeMs: 1 } }],
  ["warn", { type: "provider.noticed", provider: "relay", notice: "key.expires", fields: { remedy: "Make another." } }],
];

function logged(settings: { addresses: boolean; pretty: boolean }, event: GatewayEvent): string[] {
  const lines: string[] = [];
  new Log({ level: "debug", ...settings }, { write: (line: string) => void lines.push(line) }).event(event);
  return lines;
}

const named = events.map(([level, event]) => [event.type, level, event] as const);

describe("every event", () => {
  test.each(named)("is one line of its own name and level: %s", (_name, level, event) => {
    const lines = logged({ addresses: true, pretty: false }, event);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ event: event.type, level });
  });

  test.each(named)("shows no address where the setting says so: %s", (_name, _level, event) => {
    for (const pretty of [true, false]) {
      expect(logged({ addresses: false, pretty }, event).join("")).not.toContain("ann@");
    }
  });

  test.each(named)("is a single line for people, whatever a server wrote: %s", (_name, _level, event) => {
    const [line = ""] = logged({ addresses: true, pretty: true }, event);
    expect(line).toMatch(/^\d\d:\d\d:\d\d .*\n$/);
    expect(
      line
        .slice(0, -1)
        .split("")
        .filter((character) => character < " "),
    ).toEqual([]);
  });
});

test("what a provider notices is told with its reason, and with what to do about it", () => {
  const fields = { days: 3, reason: "the key expires in 3 days", remedy: "Make another." };
  const [line = ""] = logged(
    { addresses: true, pretty: false },
    { type: "provider.noticed", provider: "relay", notice: "key.expires", fields },
  );
  expect(JSON.parse(line)).toMatchObject({
    ...fields,
    msg: "relay: key.expires: the key expires in 3 days. To mend it: Make another.",
  });
});

test("an error is told by its message, never with what hangs on it", () => {
  const lines: string[] = [];
  const log = new Log(
    { level: "debug", addresses: false, pretty: false },
    { write: (line: string) => void lines.push(line) },
  );
  const error = Object.assign(new Error(`OOM for ${SECRET}`), { command: { name: "auth", args: ["s3cret"] } });
  log.troubled("queue", error);
  expect(lines.join("")).not.toMatch(/s3cret|ann@/);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    event: "gateway.troubled",
    reason: "OOM for ‹hidden›@example.org",
  });
});
