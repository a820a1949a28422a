import { describe, expect, test } from "vitest";
import type { Change } from "../../../src/control/change.ts";
import { formatProviders } from "../../../src/operations/format-providers.ts";
import { overviewOf } from "../../../src/operations/provider-overview.ts";
import type { ConfiguredProvider } from "../../../src/operations/provider-overview.ts";
import { reportJson } from "../../../src/operations/report-json.ts";
import { standingChanges } from "../../../src/operations/run-time-changes.ts";
import { redactAddresses } from "../../../src/telemetry/redact-addresses.ts";
import { NOW, RAMP, reportOf, usageOf, viewOf, worker } from "./fleet-fixtures.ts";
import type { ViewParts } from "./fleet-fixtures.ts";

const RELAY: ConfiguredProvider = { name: "relay", kind: "smtp", priority: 10, weight: 1 };
const OTHER: ConfiguredProvider = { name: "other", kind: "sendgrid", priority: 20, weight: 3 };

function reportOn(parts: ViewParts, providers: readonly ConfiguredProvider[] = [RELAY]) {
  const view = viewOf(parts);
  return {
    now: NOW,
    providers: overviewOf(providers, view, { ramp: RAMP, show: redactAddresses }),
    workers: view.workers,
    changes: standingChanges(view),
  };
}

function linesOf(parts: ViewParts, providers?: readonly ConfiguredProvider[]): string[] {
  return formatProviders(reportOn(parts, providers)).split("\n");
}

/** The lines on the provider itself, without those on workers and changes. */
function relayLines(parts: ViewParts): string[] {
  return linesOf(parts).slice(0, -2);
}

const authFailure = {
  reason: "535 5.7.139 ann@contoso.com: SmtpClientAuthentication is disabled",
  remedy: "Set-CASMailbox ann@contoso.com -SmtpClientAuthenticationDisabled $false",
};
const open = { kind: "open", ...authFailure, untilAt: NOW + 12_000 } as const;
const author = { by: "ann@desk", reason: "invoices are late" };
const change = (more: object): Change => ({ version: 1, at: NOW - 60_000, ...author, ...more }) as Change;

describe("one provider, in sentences", () => {
  const cases: readonly [what: string, parts: ViewParts, want: string[]][] = [
    ["one that works", {}, ["relay (smtp, priority 10): works, takes all of its mail"]],
    [
      "one that is open for the fleet, with its remedy, and no address",
      { reports: [reportOf("relay", { state: open })] },
      [
        "relay (smtp, priority 10): takes no mail; breaker open for the fleet, probed next at 2026-11-24T08:00:12Z (in 12 s): " +
          "535 5.7.139 ‹hidden›@contoso.com: SmtpClientAuthentication is disabled",
        "  to mend it: Set-CASMailbox ‹hidden›@contoso.com -SmtpClientAuthenticationDisabled $false",
      ],
    ],
    [
      "one that nobody knows a remedy for, probed now",
      { reports: [reportOf("relay", { state: { ...open, reason: "silent", remedy: null }, probedBy: "host:1" })] },
      [
        "relay (smtp, priority 10): takes no mail; breaker open for the fleet, probed now by host:1: silent",
        "  to see where it breaks: mailover verify relay",
      ],
    ],
    [
      "one whose probe is due",
      { reports: [reportOf("relay", { state: { ...open, reason: "silent", untilAt: NOW - 1 } })] },
      [
        "relay (smtp, priority 10): takes no mail; breaker open for the fleet, probed next now: silent",
        "  to mend it: Set-CASMailbox ‹hidden›@contoso.com -SmtpClientAuthenticationDisabled $false",
      ],
    ],
    [
      "one on its way back",
      { reports: [reportOf("relay", { state: { kind: "ramp", startedAt: NOW - 13_000 } })] },
      [
        "relay (smtp, priority 10): takes 25 % of its mail; on its way back, the next step at 2026-11-24T08:00:07Z (in 7 s)",
      ],
    ],
    [
      "one whose way back is over",
      { reports: [reportOf("relay", { state: { kind: "ramp", startedAt: NOW - 31_000 } })] },
      ["relay (smtp, priority 10): works, takes all of its mail"],
    ],
    [
      "one that is throttled",
      {
        reports: [reportOf("relay", { pause: { cause: "throttled", reason: "432 slow down", untilAt: NOW + 90_000 } })],
      },
      ["relay (smtp, priority 10): takes no mail; throttled until 2026-11-24T08:01:30Z (in 90 s): 432 slow down"],
    ],
    [
      "one whose quota is used up",
      { reports: [reportOf("relay", { pause: { cause: "quota", reason: "a\r\nb", untilAt: NOW + 7_200_000 } })] },
      ["relay (smtp, priority 10): takes no mail; quota used up until 2026-11-24T10:00:00Z (in 2 h): a b"],
    ],
    [
      "one that is drained for a time, by whom and why",
      { changes: [change({ action: "drain", provider: "relay", untilAt: NOW + 1_800_000 })] },
      [
        "relay (smtp, priority 10): takes no mail; drained by ann@desk until 2026-11-24T08:30:00Z (in 30 min): " +
          "invoices are late; to end it: mailover resume relay",
      ],
    ],
    [
      "one that is drained with its pool",
      { changes: [change({ action: "drain", provider: "pool", untilAt: null })], pools: { pool: ["relay"] } },
      [
        "relay (smtp, priority 10): takes no mail; drained by ann@desk: invoices are late; to end it: mailover resume pool",
      ],
    ],
    [
      "one that is slow at one worker of two",
      { workers: [worker("host:1", { relay: {} }), worker("host:2", { relay: { percent: 50, slow: "p95 2.4 s" } })] },
      [
        "relay (smtp, priority 10): takes 75 % of its mail; slow: p95 2.4 s",
        "  worker host:2 gives it 50 % of its mail: p95 2.4 s",
      ],
    ],
    [
      "one that a single worker finds at fault",
      {
        reports: [
          reportOf("relay", { votes: [{ worker: "host:2", reason: "ECONNREFUSED", remedy: null, since: NOW }] }),
        ],
        workers: [
          worker("host:1", { relay: {} }),
          worker("host:2", { relay: { percent: 0, breaker: "open" } }),
          worker("host:3", { relay: {} }),
        ],
      },
      ["relay (smtp, priority 10): takes 67 % of its mail", "  worker host:2 holds its own breaker open: ECONNREFUSED"],
    ],
    [
      "one that comes back at a single worker",
      { reports: [reportOf("relay")], workers: [worker("host:1", { relay: { percent: 5 } })] },
      ["relay (smtp, priority 10): takes 5 % of its mail", "  worker host:1 gives it 5 % of its mail"],
    ],
    [
      "the latest failure of all workers, word for word, with its remedy",
      {
        workers: [
          worker("host:1", { relay: { lastFailure: { at: "2026-11-24T07:00:00.000Z", reason: "old", remedy: null } } }),
          worker("host:2", { relay: { lastFailure: { at: "2026-11-24T07:59:20.000Z", ...authFailure } } }),
        ],
      },
      [
        "relay (smtp, priority 10): works, takes all of its mail",
        "  last failure 40 s ago, at host:2: 535 5.7.139 ‹hidden›@contoso.com: SmtpClientAuthentication is disabled " +
          "To mend it: Set-CASMailbox ‹hidden›@contoso.com -SmtpClientAuthenticationDisabled $false",
      ],
    ],
    [
      "a remedy once, where the breaker is open for the same",
      {
        reports: [reportOf("relay", { state: open })],
        workers: [worker("host:1", { relay: { lastFailure: { at: "2026-11-24T07:59:20.000Z", ...authFailure } } })],
      },
      [
        "relay (smtp, priority 10): takes no mail; breaker open for the fleet, probed next at 2026-11-24T08:00:12Z (in 12 s): " +
          "535 5.7.139 ‹hidden›@contoso.com: SmtpClientAuthentication is disabled",
        "  to mend it: Set-CASMailbox ‹hidden›@contoso.com -SmtpClientAuthenticationDisabled $false",
        "  last failure 40 s ago, at host:1: 535 5.7.139 ‹hidden›@contoso.com: SmtpClientAuthentication is disabled",
      ],
    ],
    [
      "what is left of its limits, and when it is used up",
      {
        usage: {
          relay: usageOf({
            minute: { used: 12, booked: 4, limit: 30, pace: 0.5 },
            day: { used: 1_200, limit: 10_000, resetsAt: null },
            month: { used: 0, limit: 50_000, resetsAt: Date.parse("2026-12-01T00:00:00Z") },
            connections: { used: 1, limit: 3 },
            emptyAt: NOW + 3 * 3_600_000,
          }),
        },
      },
      [
        "relay (smtp, priority 10): works, takes all of its mail",
        "  left: 18 of 30 messages this minute (lowered to 50 %, since it found us too fast; 4 wait in line), " +
          "8,800 of 10,000 recipients in any 24 h, 50,000 of 50,000 messages until 2026-12-01T00:00:00Z, 2 of 3 connections; " +
          "at this rate used up at 2026-11-24T11:00:00Z (in 3 h)",
      ],
    ],
    [
      "a limit that is used up",
      {
        usage: {
          relay: usageOf({ day: { used: 10_000, limit: 10_000, resetsAt: NOW + 3_600_000 }, emptyAt: NOW }),
        },
      },
      [
        "relay (smtp, priority 10): works; at its limit until 2026-11-24T09:00:00Z (in 60 min): 10,000 recipients a day are used up",
        "  left: 0 of 10,000 recipients until 2026-11-24T09:00:00Z",
      ],
    ],
  ];
  test.each(cases)("%s", (_what, parts, want) => {
    expect(relayLines(parts)).toEqual(want);
  });
});

describe("all of them", () => {
  test("stand in the order of their priorities, with weights where they are equals", () => {
    const equal = { ...OTHER, name: "equal", weight: 1 };
    const lines = linesOf({}, [OTHER, equal, RELAY]);
    expect(lines.slice(0, 3).map((line) => line.split(":")[0])).toEqual([
      "relay (smtp, priority 10)",
      "other (sendgrid, priority 20, weight 3)",
      "equal (sendgrid, priority 20, weight 1)",
    ]);
  });

  test("the workers, and what nobody changed", () => {
    const stranger = { name: "host:2", status: null };
    expect(linesOf({ workers: [worker("host:1"), stranger] }).slice(1)).toEqual([
      "2 workers: host:1 since 2026-11-24T06:00:00Z, host:2",
      "nothing is changed at run time",
    ]);
  });

  test("without a worker it says so, and what to type", () => {
    expect(linesOf({ workers: [] })[1]).toBe(
      "no gateway is running: nobody sends mail, and what is told above is from when one did; to start one: mailover start",
    );
  });

  test("each change with its author and the command that undoes it; what is over is not told", () => {
    const plan = { to: "other", when: { class: "bulk" }, steps: [25, 100], everyMs: 600_000, leastCount: 0 };
    const changes = [
      change({ action: "drain", provider: "relay", untilAt: null }),
      change({ action: "drain", provider: "other", untilAt: NOW - 1 }),
      change({ action: "prefer", provider: "other", untilAt: NOW + 60_000 }),
      change({ action: "weight", provider: "other", value: 5, untilAt: null }),
      change({ action: "cutover.started", plan }),
    ];
    const lines = linesOf({ changes }, [RELAY, OTHER]);
    expect(lines[1]).toBe("other (sendgrid, priority 20, before all others): works, takes all of its mail");
    expect(lines.slice(3)).toEqual([
      "changed at run time by ann@desk: relay gets no mail (invoices are late); to undo it: mailover resume relay",
      "changed at run time by ann@desk: other goes before all others until 2026-11-24T08:01:00.000Z (invoices are late); " +
        "to undo it: mailover prefer --none",
      "changed at run time by ann@desk: other has the weight 5 (invoices are late); " +
        'to undo it: mailover weight other configured --reason "..."',
      "changed at run time by ann@desk: 25 % of mail of class bulk goes to other first (invoices are late); " +
        "to undo it: mailover cutover --stop --to other",
    ]);
  });

  test("as JSON, with instants that people and programs read", () => {
    const report = JSON.parse(reportJson(reportOn({ reports: [reportOf("relay", { state: open })] }))) as object;
    expect(report).toMatchObject({
      now: "2026-11-24T08:00:00.000Z",
      providers: [
        {
          name: "relay",
          percent: 0,
          conditions: [{ kind: "open", untilAt: "2026-11-24T08:00:12.000Z", probedBy: null }],
        },
      ],
      workers: [{ name: "host:1", status: { startedAt: "2026-11-24T06:00:00.000Z" } }],
      changes: [],
    });
  });
});
