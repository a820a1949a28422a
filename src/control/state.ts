import type { Change } from "./change.ts";
import { isActive, percentOf } from "./cutover.ts";
import type { Cutover, CutoverPhase } from "./cutover.ts";
import { AS_CONFIGURED } from "./overlay.ts";
import type { Authorship, Drain, Overlay, Standing } from "./overlay.ts";
import { membersOf } from "./pools.ts";
import type { Pools } from "./pools.ts";

type Ending = Authorship & { readonly untilAt: number | null };

/** A provider that goes before all others. There is one at most: who prefers another one, prefers this one no more. */
export type Preference = Ending & { readonly provider: string };

/** A weight in place of the configured one. */
export type Weighting = Ending & { readonly value: number };

/** What the log comes to. Instants are epoch milliseconds of Redis; what is over by its time stays in here. */
export type ControlState = {
  /** Of the latest change, and when it was made. */
  readonly version: number;
  readonly at: number;
  readonly drains: Readonly<Record<string, Drain>>;
  readonly weights: Readonly<Record<string, Weighting>>;
  readonly preference: Preference | null;
  /** By the provider that they go to. */
  readonly cutovers: Readonly<Record<string, Cutover>>;
};

export const NO_CHANGES: ControlState = {
  version: 0,
  at: 0,
  drains: {},
  weights: {},
  preference: null,
  cutovers: {},
};

/** One thing that a change can touch, and what it holds. Each change touches one. Null: as configured. */
export type Held =
  | { readonly slot: "drain"; readonly provider: string; readonly value: Drain | null }
  | { readonly slot: "weight"; readonly provider: string; readonly value: Weighting | null }
  | { readonly slot: "preference"; readonly value: Preference | null }
  | { readonly slot: "cutover"; readonly provider: string; readonly value: Cutover | null };

const PHASES: Readonly<Record<string, CutoverPhase>> = {
  "cutover.stepped": "running",
  "cutover.done": "done",
  "cutover.rolled-back": "rolled back",
  "cutover.stopped": "stopped",
};

/** What the changes come to, after what was before them. The same log gives the same state, whoever folds it. */
export function foldChanges(changes: readonly Change[], before: ControlState = NO_CHANGES): ControlState {
  return changes.reduce((state, change) => {
    const held = heldAfter(state, change);
    return { ...(held === null ? state : put(state, held)), version: change.version, at: change.at };
  }, before);
}

/** What the change touches, as it is before the change. Null where it touches nothing that is known here. */
export function heldBefore(state: ControlState, change: Change): Held | null {
  const after = heldAfter(state, change);
  return after === null ? null : heldNow(state, after);
}

/** What the change touches, as it is after the change. */
export function heldAfter(state: ControlState, change: Change): Held | null {
  const { by, reason, at, version } = change;
  switch (change.action) {
    case "drain":
      return { slot: "drain", provider: change.provider, value: { by, reason, untilAt: change.untilAt } };
    case "resume":
      return { slot: "drain", provider: change.provider, value: null };
    case "prefer":
      return { slot: "preference", value: { by, reason, untilAt: change.untilAt, provider: change.provider } };
    case "unprefer":
      return { slot: "preference", value: null };
    case "weight": {
      const { provider, value, untilAt } = change;
      return { slot: "weight", provider, value: value === null ? null : { by, reason, untilAt, value } };
    }
    case "rollback":
      return change.restores.slot === "cutover" ? renewed(change.restores, change) : change.restores;
    case "cutover.started": {
      const { plan } = change;
      const begun = { by, reason, plan, phase: "running", step: 0, startedAt: at, since: at, version } as const;
      return { slot: "cutover", provider: plan.to, value: { ...begun, note: reason } };
    }
    case "cutover.stepped":
    case "cutover.done":
    case "cutover.rolled-back":
    case "cutover.stopped": {
      const { provider, step } = change;
      const cutover = state.cutovers[provider];
      const phase = PHASES[change.action];
      if (cutover === undefined || phase === undefined) return null;
      return { slot: "cutover", provider, value: { ...cutover, phase, step, since: at, version, note: reason } };
    }
    default:
      // A later release wrote it, and knows what to do with it.
      return null;
  }
}

/** The same slot as it is now. */
export function heldNow(state: ControlState, { slot, ...rest }: Held): Held {
  if (slot === "preference") return { slot, value: state.preference };
  const provider = "provider" in rest ? rest.provider : "";
  if (slot === "drain") return { slot, provider, value: state.drains[provider] ?? null };
  if (slot === "weight") return { slot, provider, value: state.weights[provider] ?? null };
  return { slot, provider, value: state.cutovers[provider] ?? null };
}

/**
 * What holds at this time, as delivery wants it. `aheadMs`: by how much Redis's clock is ahead of that of the reader. What
 * was said of a pool stands for each of its members; what was said of a member goes over that.
 */
export function overlayAt(state: ControlState, now: number, aheadMs = 0, pools: Pools = {}): Overlay {
  const standings: Record<string, Standing> = {};
  const stand = (name: string, standing: Partial<Standing>): void => {
    for (const provider of membersOf(name, pools)) {
      standings[provider] = { ...(standings[provider] ?? AS_CONFIGURED), ...standing };
    }
  };
  for (const [provider, drain] of poolsFirst(state.drains, pools)) {
    const untilAt = drain.untilAt === null ? null : drain.untilAt - aheadMs;
    if (holds(drain, now)) stand(provider, { drain: { ...drain, untilAt } });
  }
  for (const [provider, weight] of poolsFirst(state.weights, pools)) {
    if (holds(weight, now)) stand(provider, { weight: weight.value });
  }
  const { preference } = state;
  if (preference !== null && holds(preference, now)) stand(preference.provider, { preferred: true });
  const shifts = Object.values(state.cutovers)
    .filter(isActive)
    .map((cutover) => ({ to: cutover.plan.to, percent: percentOf(cutover), when: cutover.plan.when }));
  return { version: state.version, standings, shifts };
}

function poolsFirst<T>(values: Readonly<Record<string, T>>, pools: Pools): [name: string, value: T][] {
  return Object.entries(values).toSorted(
    ([one], [other]) => Number(Object.hasOwn(pools, other)) - Number(Object.hasOwn(pools, one)),
  );
}

/** What ends by itself after the one time, and not after the other. */
export function endedBetween(state: ControlState, afterAt: number, untilAt: number): Held[] {
  return withEnd(state).flatMap(({ held, at }) => (at > afterAt && at <= untilAt ? [held] : []));
}

/** When the next of it ends by itself; Infinity: nothing does. */
export function nextEndAfter(state: ControlState, now: number): number {
  return Math.min(Infinity, ...withEnd(state).flatMap(({ at }) => (at > now ? [at] : [])));
}

function withEnd(state: ControlState): { readonly held: Held; readonly at: number }[] {
  const all: Held[] = [
    ...Object.entries(state.drains).map(([provider, value]) => ({ slot: "drain", provider, value }) as const),
    ...Object.entries(state.weights).map(([provider, value]) => ({ slot: "weight", provider, value }) as const),
    { slot: "preference", value: state.preference },
  ];
  return all.flatMap((held) => {
    const at = held.value !== null && "untilAt" in held.value ? held.value.untilAt : null;
    return at === null ? [] : [{ held, at }];
  });
}

/** Whether it holds at this time. */
export function holds({ untilAt }: { readonly untilAt: number | null }, now: number): boolean {
  return untilAt === null || now < untilAt;
}

/** A cutover that goes on where it was begins that step anew: what was seen in it then is no longer true. */
function renewed(held: Extract<Held, { slot: "cutover" }>, { at, version }: Change): Held {
  if (held.value === null || held.value.phase !== "running") return held;
  return { ...held, value: { ...held.value, since: at, version } };
}

function put(state: ControlState, held: Held): ControlState {
  switch (held.slot) {
    case "preference":
      return { ...state, preference: held.value };
    case "drain":
      return { ...state, drains: replaced(state.drains, held.provider, held.value) };
    case "weight":
      return { ...state, weights: replaced(state.weights, held.provider, held.value) };
    case "cutover":
      return { ...state, cutovers: replaced(state.cutovers, held.provider, held.value) };
    default:
      return state;
  }
}

function replaced<T>(before: Readonly<Record<string, T>>, key: string, value: T | null): Readonly<Record<string, T>> {
  const { [key]: _, ...rest } = before;
  return value === null ? rest : { ...rest, [key]: value };
}
