import type { SmtpFault } from "../../src/lab/index.ts";

/** One way for the primary to break, and what failover must reach with it. */
export type Outage = {
  readonly name: string;
  readonly fault: SmtpFault;
  /** Limits on the time from enqueue to accepted, for messages pushed while it is broken; null: copies are what counts. */
  readonly p99Ms: number | null;
  readonly longestMs: number | null;
};

const ANSWERS_AT_ONCE = { p99Ms: 250, longestMs: 1_000 };
const ANSWERS_LATE_OR_NEVER = { p99Ms: 5_000, longestMs: 12_000 };

export const OUTAGES: readonly Outage[] = [
  { name: "connection refused", fault: { kind: "refuse" }, ...ANSWERS_AT_ONCE },
  {
    name: "421 at the greeting",
    fault: { kind: "reply", at: "greeting", text: "421 4.3.2 Service not available", close: true },
    ...ANSWERS_AT_ONCE,
  },
  {
    name: "451 at MAIL",
    fault: { kind: "reply", at: "mail", text: "451 4.7.0 Temporary server error. Please try again later. PRX4" },
    ...ANSWERS_AT_ONCE,
  },
  {
    name: "535 at AUTH",
    fault: { kind: "reply", at: "auth", text: "535 5.7.3 Authentication unsuccessful" },
    ...ANSWERS_AT_ONCE,
  },
  { name: "silence after accept", fault: { kind: "silence", at: "connect" }, ...ANSWERS_LATE_OR_NEVER },
  { name: "hang in live connections", fault: { kind: "silence", at: "any" }, ...ANSWERS_LATE_OR_NEVER },
  { name: "every reply 8 s late", fault: { kind: "slow", delayMs: 8_000 }, ...ANSWERS_LATE_OR_NEVER },
  {
    name: "drop after the final dot",
    fault: { kind: "drop", at: "dot", accepted: true },
    p99Ms: null,
    longestMs: null,
  },
];
