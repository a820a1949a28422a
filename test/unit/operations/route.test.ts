import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Change } from "../../../src/control/change.ts";
import { MESSAGE_CLASSES } from "../../../src/core/index.ts";
import type { Resolution } from "../../../src/delivery/round.ts";
import type { RoutePreview } from "../../../src/operations/route-preview.ts";
import { NOW } from "./fleet-fixtures.ts";
import { RouteWorld } from "./route-world.ts";
import type { RouteWorldParts, Stand } from "./route-world.ts";

function linesOf(parts: RouteWorldParts): string[] {
  const world = new RouteWorld(parts);
  const lines = world.lines();
  world.close();
  return lines;
}

const author = { by: "ann@desk", reason: "invoices are late" };
const change = (more: object): Change => ({ version: 1, at: NOW - 60_000, ...author, ...more }) as Change;

type Report = NonNullable<Stand["report"]>;

const OPEN = { kind: "open", reason: "554 ann@contoso.com is blocked", remedy: null, untilAt: NOW + 12_000 } as const;
const open: Report = { state: OPEN };
const throttled = (waitMs: number): Report => ({
  pause: { cause: "throttled", reason: "432 slow down", untilAt: NOW + waitMs },
});

describe("a message and its way, in sentences", () => {
  const cases: readonly [what: string, parts: RouteWorldParts, want: string[]][] = [
    [
      "by priority, all well",
      {
        stands: [
          { name: "first", priority: 20 },
          { name: "second", priority: 10, from: { "*": "mail@send.example" } },
        ],
      },
      [
        "order: by priority",
        "1. second: takes it",
        "   From becomes mail@send.example",
        "2. first: next, where those before it do not take it",
      ],
    ],
    [
      "by a rule that leaves one out",
      {
        stands: [{ name: "first" }, { name: "second" }],
        class: "bulk",
        rules: [{ when: { class: "bulk" }, use: ["second"] }],
      },
      [
        "order: routes[0], class bulk: second",
        "1. second: takes it",
        "-  first: skipped: it is not on the route of such mail",
      ],
    ],
    [
      "a breaker that is open, without addresses, and what to type",
      { stands: [{ name: "first", report: open }, { name: "second" }] },
      [
        "order: by priority",
        "1. first: skipped until 2026-11-24T08:00:12Z (in 12 s): breaker open for the fleet: 554 ‹hidden›@contoso.com is blocked",
        "   to see where it breaks: mailover verify first",
        "2. second: takes it",
      ],
    ],
    [
      "one on its way back, and who takes the rest",
      {
        stands: [
          { name: "first", report: { state: { kind: "ramp", startedAt: NOW - 13_000 } } },
          { name: "second" },
          { name: "third" },
        ],
        id: "m2",
      },
      [
        "order: by priority",
        "1. first: takes 25 % of such mail: on its way back: it gets 25 % of its mail",
        "2. second: takes the rest",
        "3. third: next, where those before it do not take it",
      ],
    ],
    [
      "one on its way back that nobody is left beside",
      {
        stands: [
          { name: "first", report: { state: { kind: "ramp", startedAt: NOW } } },
          { name: "second", report: open },
        ],
      },
      [
        "order: by priority",
        "1. first: takes it: on its way back: it gets 5 % of its mail; but no other is left",
        "2. second: skipped until 2026-11-24T08:00:12Z (in 12 s): breaker open for the fleet: 554 ‹hidden›@contoso.com is blocked",
        "   to see where it breaks: mailover verify second",
      ],
    ],
    [
      "a limit that such mail waits for",
      { stands: [{ name: "first", slotMs: 20_000 }, { name: "second" }] },
      [
        "order: by priority",
        "1. first: such mail waits for it until 2026-11-24T08:00:20Z (in 20 s): 30 messages a minute are used up",
        "   left: 0 of 30 messages this minute",
        "2. second: not asked while such mail waits",
        "so it waits for first",
      ],
    ],
    [
      "a limit that such mail does not wait for",
      { stands: [{ name: "first", slotMs: 40_000 }, { name: "second" }] },
      [
        "order: by priority",
        "1. first: skipped until 2026-11-24T08:00:40Z (in 40 s): 30 messages a minute are used up",
        "   left: 0 of 30 messages this minute",
        "2. second: takes it",
      ],
    ],
    [
      "one that is throttled, and a class that waits",
      { stands: [{ name: "first", report: throttled(600_000) }, { name: "second" }], class: "bulk" },
      [
        "order: by priority",
        "1. first: such mail waits for it until 2026-11-24T08:10:00Z (in 10 min): 432 slow down",
        "2. second: not asked while such mail waits",
        "so it waits for first",
      ],
    ],
    [
      "equals, and how often each is first",
      {
        stands: [
          { name: "one", priority: 10 },
          { name: "three", priority: 10, weight: 3 },
        ],
      },
      [
        "order: by priority",
        "1. three: takes it, asked first of its equals for 75 % of such mail",
        "2. one: next, where those before it do not take it, asked first of its equals for 25 % of such mail",
      ],
    ],
    [
      "one that is drained, and one that may not send as this From",
      {
        stands: [{ name: "first" }, { name: "second", declines: "sender" }],
        changes: [change({ action: "drain", provider: "first", untilAt: null })],
      },
      [
        "order: by priority",
        "-  first: skipped: drained by ann@desk: invoices are late; to end it: mailover resume first",
        "-  second: skipped: it cannot",
        "so it waits until an operator changes that",
      ],
    ],
    [
      "nobody who can carry it",
      { stands: [{ name: "first", declines: "content" }] },
      ["order: by priority", "-  first: skipped: it cannot", "so it bounces: no provider can carry it"],
    ],
    [
      "nobody who is there",
      { stands: [{ name: "first", report: { state: { ...OPEN, remedy: "Mend it." } } }] },
      [
        "order: by priority",
        "1. first: skipped until 2026-11-24T08:00:12Z (in 12 s): breaker open for the fleet: 554 ‹hidden›@contoso.com is blocked",
        "   to mend it: Mend it.",
        "so it waits until one of them takes mail again",
      ],
    ],
    [
      "a cutover that moves a part of it, and one that moves all",
      {
        stands: [{ name: "first" }, { name: "second" }, { name: "third" }],
        changes: [
          change({ action: "cutover.started", plan: { to: "second", when: { class: "transactional" }, steps: [25] } }),
          change({ action: "cutover.started", plan: { to: "third", when: {}, steps: [100] } }),
        ],
      },
      [
        "order: by priority; third first, as operators have it",
        "25 % of mail of class transactional goes to second first, by a cutover",
        "1. third: takes it",
        "2. first: next, where those before it do not take it",
        "3. second: next, where those before it do not take it",
      ],
    ],
    [
      "providers that the message names, one of them unknown",
      { stands: [{ name: "first" }, { name: "second" }], submission: { providers: ["second", "nobody"] } },
      [
        "order: the message names its providers",
        "1. second: takes it",
        "-  nobody: skipped: no provider of this name is configured",
        "-  first: skipped: it is not on the route of such mail",
      ],
    ],
  ];
  test.each(cases)("%s", (_what, parts, want) => {
    const [first, ...lines] = linesOf(parts);
    expect(first).toBe(`class ${parts.class ?? "transactional"}, from app@contoso.com, 1 recipient, 1,000 bytes`);
    expect(lines).toEqual(want);
  });
});

describe("what it says is what delivery does", () => {
  const report = fc.constantFrom<Report>(
    {},
    {},
    open,
    throttled(10_000),
    throttled(90_000),
    { pause: { cause: "quota", reason: "quota", untilAt: NOW + 50_000 } },
    { state: { kind: "ramp", startedAt: NOW - 1_000 } },
    { state: { kind: "ramp", startedAt: NOW - 25_000 } },
  );
  const stand = fc.record({
    priority: fc.integer({ min: 1, max: 3 }),
    weight: fc.integer({ min: 1, max: 3 }),
    report,
    slotMs: fc.constantFrom(0, 0, 0, 10_000, 90_000),
    quotaMs: fc.constantFrom(0, 0, 0, 600_000),
    declines: fc.constantFrom(undefined, undefined, undefined, "sender" as const, "content" as const),
  });
  const worlds = fc.record({
    stands: fc
      .array(stand, { minLength: 1, maxLength: 4 })
      .map((all) => all.map(({ declines, ...each }, index) => ({ ...each, name: `p${index}`, ...only({ declines }) }))),
    id: fc.string({ minLength: 4, maxLength: 8 }),
    class: fc.constantFrom(...MESSAGE_CLASSES),
    drained: fc.option(fc.constantFrom("p0", "p1"), { nil: null }),
  });

  test("for any providers, however they stand", async () => {
    const ends = new Set<string>();
    await fc.assert(
      fc.asyncProperty(worlds, async ({ drained, ...parts }) => {
        const changes = drained === null ? [] : [change({ action: "drain", provider: drained, untilAt: null })];
        const world = new RouteWorld({ ...parts, changes });
        const preview = world.preview();
        const resolution = await world.deliver();
        world.close();
        ends.add(endOf(resolution));
        expect(possibleEnds(preview)).toContain(endOf(resolution));
      }),
      { numRuns: 200 },
    );
    // All kinds of ends were seen.
    const kinds = new Set([...ends].map((end) => end.split(" ")[0]));
    expect([...kinds].toSorted()).toEqual(["bounced", "deferred", "relayed", "waits"]);
  });
});

function only(declines: { readonly declines: "sender" | "content" | undefined }): Pick<Stand, "declines"> {
  return declines.declines === undefined ? {} : { declines: declines.declines };
}

/** "relayed by p1", "waits for p1 until …", "deferred", "bounced". */
function endOf({ kind, record, ...more }: Resolution): string {
  if (kind !== "later") return record.status === "relayed" ? `relayed by ${record.provider}` : record.status;
  const [, name] = /^(p\d): /.exec(record.reason ?? "") ?? [];
  const isOneWait = record.throttledSince !== null && name !== undefined;
  return isOneWait && "at" in more ? `waits for ${name}` : "deferred";
}

/** What a preview leaves open: with a share of 5 % the message may be of it or not. */
function possibleEnds({ steps, ending }: RoutePreview): string[] {
  const ends: string[] = [];
  for (const { provider, verdict, percent, reason } of steps) {
    // A part of it comes to a provider on its way back, and may wait for its limit.
    if (reason?.includes("; for that ") === true) ends.push(`waits for ${provider}`);
    if (verdict === "takes") ends.push(`relayed by ${provider}`);
    if (verdict === "takes" && percent === 100) return ends;
    if (verdict === "waited for") ends.push(`waits for ${provider}`);
  }
  if (steps.some(({ verdict }) => verdict === "waited for")) return ends;
  if (ending?.startsWith("it bounces") === true) return ["bounced"];
  // Nobody is left who has time: it waits for the one that has it first, or tries all again.
  return [...ends, "deferred", ...steps.map(({ provider }) => `waits for ${provider}`)];
}
