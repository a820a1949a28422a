import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { History } from "../../../src/control/change-log.ts";
import { parseEntry } from "../../../src/control/change.ts";
import type { Action, Change } from "../../../src/control/change.ts";
import { restoredBy } from "../../../src/control/rollback.ts";
import {
  NO_CHANGES,
  endedBetween,
  foldChanges,
  heldAfter,
  heldNow,
  nextEndAfter,
  overlayAt,
} from "../../../src/control/state.ts";
import type { ControlState, Held } from "../../../src/control/state.ts";
import { planOf } from "./plans.ts";

const HOUR_MS = 3_600_000;

/** A log of these actions, one each minute from 0 on. */
function logOf(...actions: readonly Action[]): Change[] {
  return actions.map((action, index) => ({ ...action, ...stampOf(index + 1) }));
}

function stampOf(version: number): { by: string; reason: string; version: number; at: number } {
  return { by: "ann@desk", reason: `reason ${version}`, version, at: (version - 1) * 60_000 };
}

function historyOf(changes: readonly Change[], keptFrom = 0): History {
  const before = foldChanges(changes.slice(0, keptFrom));
  return { now: 0, before, changes: changes.slice(keptFrom), state: foldChanges(changes) };
}

function rollbackOf(changes: readonly Change[], version: number): Change {
  const restores = restoredBy(historyOf(changes), version);
  if ("kind" in restores) throw new Error(restores.sentence);
  return { ...stampOf(changes.length + 1), action: "rollback", undoes: version, restores };
}

const drain = (provider: string, untilAt: number | null = null): Action => ({ action: "drain", provider, untilAt });

describe("what a log comes to", () => {
  test("is what was said last of each thing", () => {
    const changes = logOf(
      drain("sendgrid"),
      { action: "prefer", provider: "relay", untilAt: null },
      { action: "weight", provider: "relay", value: 3, untilAt: null },
      { action: "resume", provider: "sendgrid" },
      { action: "prefer", provider: "microsoft365", untilAt: null },
    );
    expect(overlayAt(foldChanges(changes.slice(0, 3)), 0)).toEqual({
      version: 3,
      shifts: [],
      standings: {
        sendgrid: { drain: { by: "ann@desk", reason: "reason 1", untilAt: null }, preferred: false, weight: null },
        relay: { drain: null, preferred: true, weight: 3 },
      },
    });
    expect(overlayAt(foldChanges(changes), 0)).toEqual({
      version: 5,
      shifts: [],
      standings: {
        relay: { drain: null, preferred: false, weight: 3 },
        microsoft365: { drain: null, preferred: true, weight: null },
      },
    });
  });

  test("ends by itself where it has an end, at that instant and for all", () => {
    const state = foldChanges(logOf(drain("sendgrid", HOUR_MS)));
    expect(overlayAt(state, HOUR_MS - 1).standings).toHaveProperty("sendgrid");
    expect(overlayAt(state, HOUR_MS).standings).toEqual({});
    expect(nextEndAfter(state, 0)).toBe(HOUR_MS);
    expect(nextEndAfter(state, HOUR_MS)).toBe(Infinity);
    expect(endedBetween(state, HOUR_MS - 1, HOUR_MS)).toHaveLength(1);
    expect(endedBetween(state, HOUR_MS, HOUR_MS + 1)).toEqual([]);
  });

  test("has its ends in the time of whoever reads it", () => {
    const state = foldChanges(logOf(drain("sendgrid", HOUR_MS)));
    expect(overlayAt(state, 0, 5_000).standings["sendgrid"]?.drain?.untilAt).toBe(HOUR_MS - 5_000);
  });

  test("stands for each member where it was said of a pool, and what was said of a member goes over it", () => {
    const pools = { boxes: ["boxes-1", "boxes-2"] };
    const changes = logOf(
      { action: "weight", provider: "boxes-1", value: 9, untilAt: null },
      { action: "weight", provider: "boxes", value: 3, untilAt: null },
      drain("boxes-2", HOUR_MS),
      drain("boxes"),
      { action: "prefer", provider: "boxes", untilAt: null },
    );
    const { standings } = overlayAt(foldChanges(changes), 0, 0, pools);
    expect(standings).toEqual({
      "boxes-1": { drain: { by: "ann@desk", reason: "reason 4", untilAt: null }, preferred: true, weight: 9 },
      "boxes-2": { drain: { by: "ann@desk", reason: "reason 3", untilAt: HOUR_MS }, preferred: true, weight: 3 },
    });
    // Its own drain is over, that of the pool is not.
    expect(overlayAt(foldChanges(changes), HOUR_MS, 0, pools).standings["boxes-2"]?.drain?.untilAt).toBeNull();
  });

  test("has a cutover as the share that it moves", () => {
    const changes = logOf(
      { action: "cutover.started", plan: planOf({ when: { class: "bulk" } }) },
      { action: "cutover.stepped", provider: "sendgrid", step: 1, percent: 25 },
      { action: "cutover.done", provider: "sendgrid", step: 3, percent: 100 },
      { action: "cutover.stopped", provider: "sendgrid", step: 3, percent: 0 },
    );
    const shares = changes.map((_, index) => overlayAt(foldChanges(changes.slice(0, index + 1)), 0).shifts);
    const shift = { to: "sendgrid", when: { class: "bulk" } };
    expect(shares).toEqual([[{ ...shift, percent: 5 }], [{ ...shift, percent: 25 }], [{ ...shift, percent: 100 }], []]);
  });

  test("leaves alone what only a later release knows", () => {
    const later = { ...stampOf(2), action: "shuffle", provider: "relay" } as unknown as Change;
    const changes = [...logOf(drain("relay")), later];
    expect(overlayAt(foldChanges(changes), 0)).toEqual({
      ...overlayAt(foldChanges(changes.slice(0, 1)), 0),
      version: 2,
    });
  });
});

test("an entry begins with its version and time, and its end counts from there", () => {
  const json = '{"by":"ann@desk","reason":"a b  c","action":"drain","provider":"relay","forMs":5000}';
  expect(parseEntry(`7 1000 ${json}`)).toEqual({
    by: "ann@desk",
    reason: "a b  c",
    version: 7,
    at: 1_000,
    action: "drain",
    provider: "relay",
    untilAt: 6_000,
  });
});

const anyProvider = fc.constantFrom("microsoft365", "sendgrid", "relay");
const anyEnd = fc.option(fc.integer({ min: 1, max: 10 * HOUR_MS }), { nil: null });

const anyAction: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ action: fc.constant("drain" as const), provider: anyProvider, untilAt: anyEnd }),
  fc.record({ action: fc.constant("resume" as const), provider: anyProvider }),
  fc.record({ action: fc.constant("prefer" as const), provider: anyProvider, untilAt: anyEnd }),
  fc.constant({ action: "unprefer" } as const),
  fc.record({
    action: fc.constant("weight" as const),
    provider: anyProvider,
    value: fc.option(fc.integer({ min: 1, max: 9 }), { nil: null }),
    untilAt: anyEnd,
  }),
  anyProvider.map((to) => ({ action: "cutover.started" as const, plan: planOf({ to }) })),
  fc.record({
    action: fc.constantFrom("cutover.stepped", "cutover.done", "cutover.rolled-back", "cutover.stopped"),
    provider: anyProvider,
    step: fc.constantFrom(0, 1, 2, 3),
    percent: fc.constant(25),
  }),
);

/** A log in which some changes undo earlier ones. */
const anyLog = fc
  .array(fc.tuple(anyAction, fc.option(fc.nat(), { nil: null, freq: 3 })), { minLength: 1, maxLength: 25 })
  .map((wishes) =>
    wishes.reduce<Change[]>((changes, [action, pick]) => {
      const version = changes.length + 1;
      const undoes = pick === null || version === 1 ? null : 1 + (pick % changes.length);
      const canUndo = undoes !== null && !("kind" in restoredBy(historyOf(changes), undoes));
      return [...changes, canUndo ? rollbackOf(changes, undoes) : { ...action, ...stampOf(version) }];
    }, []),
  );

/** All that a state holds, each thing under its name; a running cutover without the beginning of its step. */
function thingsOf({ drains, weights, preference, cutovers }: ControlState): Record<string, unknown> {
  const named = (kind: string, values: object): [string, unknown][] =>
    Object.entries(values).map(([name, value]) => [`${kind} ${name}`, value]);
  const comparable = Object.fromEntries(
    Object.entries(cutovers).map(([name, cutover]) => {
      const isRunning = cutover.phase === "running";
      return [name, isRunning ? { ...cutover, since: null, version: null } : cutover];
    }),
  );
  return Object.fromEntries([
    ...named("drain", drains),
    ...named("weight", weights),
    ...named("cutover", comparable),
    ...named("preference", preference === null ? {} : { it: preference }),
  ]);
}

function nameOf(held: Held): string {
  return held.slot === "preference" ? "preference it" : `${held.slot} ${held.provider}`;
}

test("whatever was done, undoing one change restores what it touched, and touches nothing else", () => {
  fc.assert(
    fc.property(anyLog, fc.nat(), (changes, pick) => {
      const version = 1 + (pick % changes.length);
      const change = changes[version - 1] as Change;
      const before = foldChanges(changes.slice(0, version - 1));
      const touched = heldAfter(before, change);
      fc.pre(touched !== null);
      const name = nameOf(touched as Held);

      const rollback = rollbackOf(changes, version);
      const now = foldChanges(changes);
      const after = foldChanges([...changes, rollback]);
      const { [name]: _now, ...othersNow } = thingsOf(now);
      const { [name]: restored, ...othersAfter } = thingsOf(after);
      expect(restored).toEqual(thingsOf(before)[name]);
      expect(othersAfter).toEqual(othersNow);

      // A cutover that goes on begins its step anew, so that it does not take the next one at once.
      const { value } = heldNow(after, touched as Held);
      const isRunning = value !== null && "phase" in value && value.phase === "running";
      const begun = isRunning ? { since: value.since, version: value.version } : null;
      expect(begun).toEqual(isRunning ? { since: rollback.at, version: rollback.version } : null);

      // And undoing that brings back what was.
      const again = rollbackOf([...changes, rollback], rollback.version);
      expect(thingsOf(foldChanges([...changes, rollback, again]))).toEqual(thingsOf(now));
    }),
  );
});

test("a log comes to the same, wherever it is cut, and through JSON", () => {
  fc.assert(
    fc.property(anyLog, fc.nat(), (changes, pick) => {
      const cut = pick % (changes.length + 1);
      const snapshot = JSON.parse(JSON.stringify(foldChanges(changes.slice(0, cut)))) as ControlState;
      expect(foldChanges(changes.slice(cut), snapshot)).toEqual(foldChanges(changes));
      expect(foldChanges(changes, NO_CHANGES).version).toBe(changes.length);
    }),
  );
});

describe("a change that cannot be undone", () => {
  const changes = logOf(drain("relay"), drain("sendgrid"), { action: "resume", provider: "relay" });
  test.each([
    [0, "version: there is no change 0; the latest is 3"],
    [4, "version: there is no change 4; the latest is 3"],
    [1.5, "version: there is no change 1.5; the latest is 3"],
    [2, "version: change 2 is no longer kept; the oldest is 3"],
  ])("%d", (version, sentence) => {
    expect(restoredBy(historyOf(changes, 2), version)).toMatchObject({ kind: "refused", sentence });
  });

  test("and the oldest that is kept can", () => {
    const restored = restoredBy(historyOf(changes, 2), 3);
    expect(restored).toMatchObject({ slot: "drain", provider: "relay", value: { reason: "reason 1" } });
  });
});
