import { describe, expect, test } from "vitest";
import { parseFault, SMTP_POINTS } from "../../../src/lab/index.ts";
import type { FaultKind } from "../../../src/lab/index.ts";

const good: readonly [kind: FaultKind, fault: object][] = [
  ["smtp", { kind: "refuse" }],
  ["smtp", { kind: "silence", at: "any", count: 3 }],
  ["smtp", { kind: "slow", delayMs: 0 }],
  ["smtp", { kind: "slow", delayMs: 500, at: "dot", share: 0.5 }],
  ["smtp", { kind: "reply", at: "rcpt", text: "550-5.1.1 No\n550 5.1.1 such user", recipient: "^a@", close: true }],
  ["smtp", { kind: "reply", at: "mail", text: "421" }],
  ["smtp", { kind: "drop", at: "dot", accepted: true }],
  ["smtp", { kind: "garbage", at: "greeting" }],
  ["http", { kind: "silence", path: "/mail" }],
  [
    "http",
    { kind: "response", status: 503, headers: { "retry-after": "5" }, body: { any: ["thing"] }, accepted: true },
  ],
  ["http", { kind: "drop", accepted: false }],
  ["entra", { kind: "aadsts", aadsts: 7000222, count: 1 }],
];

const bad: readonly [kind: FaultKind, fault: unknown, problem: string][] = [
  ["smtp", null, "fault: null is not an object"],
  ["smtp", { kind: "explode" }, 'fault.kind: "explode" is none of refuse, silence, slow, reply, drop, garbage'],
  ["smtp", { kind: "toString" }, 'fault.kind: "toString" is none of refuse, silence, slow, reply, drop, garbage'],
  ["smtp", {}, "fault.kind: nothing is none of refuse, silence, slow, reply, drop, garbage"],
  ["smtp", { kind: "slow", delayMs: -5 }, "fault.delayMs: -5 is below 0"],
  ["smtp", { kind: "slow", delayMs: "5" }, 'fault.delayMs: "5" is not a whole number'],
  ["smtp", { kind: "slow" }, "fault.delayMs: is missing, slow needs it"],
  ["smtp", { kind: "drop", at: "dots" }, `fault.at: "dots" is none of ${SMTP_POINTS.join(", ")}, any`],
  ["smtp", { kind: "reply", at: "any", text: "421 x" }, `fault.at: "any" is none of ${SMTP_POINTS.join(", ")}`],
  ["smtp", { kind: "reply", at: "mail", text: "Busy" }, 'fault.text: "Busy" is no SMTP reply such as "450 4.2.0 Busy"'],
  [
    "smtp",
    { kind: "reply", at: "mail", text: "450-a\n" },
    'fault.text: "450-a\\n" is no SMTP reply such as "450 4.2.0 Busy"',
  ],
  [
    "smtp",
    { kind: "reply", at: "rcpt", text: "450 a", recipient: "(" },
    'fault.recipient: "(" is no regular expression',
  ],
  ["smtp", { kind: "drop", at: "dot", share: 1.5 }, "fault.share: 1.5 is above 1"],
  ["smtp", { kind: "drop", at: "dot", count: 0 }, "fault.count: 0 is below 1"],
  ["smtp", { kind: "drop", at: "dot", accepted: 1 }, "fault.accepted: 1 is neither true nor false"],
  ["smtp", { kind: "refuse", count: 1 }, "fault.count: refuse has no such field"],
  [
    "smtp",
    { kind: "response", status: 500 },
    'fault.kind: "response" is none of refuse, silence, slow, reply, drop, garbage',
  ],
  ["http", { kind: "response", status: 99 }, "fault.status: 99 is below 200"],
  ["http", { kind: "response", status: 500, headers: { a: 1 } }, 'fault.headers: {"a":1} is not an object of texts'],
  [
    "http",
    { kind: "aadsts", aadsts: 1 },
    'fault.kind: "aadsts" is none of refuse, silence, slow, response, drop, garbage',
  ],
];

describe("a fault that holds", () => {
  for (const [kind, fault] of good) {
    test(`${kind}: ${JSON.stringify(fault)}`, () => {
      expect(parseFault(kind, fault)).toEqual({ fault });
    });
  }
});

describe("a fault that does not names field, value and rule", () => {
  for (const [kind, fault, problem] of bad) {
    test(`${problem}`, () => {
      expect(parseFault(kind, fault)).toEqual({ problem });
    });
  }
});
