import type { Pause } from "../pause.ts";
import type { FleetState } from "./fleet.ts";
import type { StoredState } from "./store.ts";

/** An instant of Redis's time by the clock of this process. */
export type ToOwnClock = (redisAt: number) => number;

export function stateOf(stored: StoredState, toOwnClock: ToOwnClock): FleetState {
  if (stored.kind === "closed") return { kind: "closed" };
  if (stored.kind === "ramp") return { kind: "ramp", startedAt: toOwnClock(stored.startedAt) };
  const remedy = stored.remedy === "" ? null : stored.remedy;
  return { kind: "open", reason: stored.reason, remedy, untilAt: toOwnClock(stored.untilAt) };
}

/** It may be over. */
export function pauseOf(stored: StoredState, toOwnClock: ToOwnClock): Pause | null {
  const { pauseCause, pauseReason, pauseUntilAt } = stored;
  if (pauseCause === "") return null;
  return { cause: pauseCause, reason: pauseReason, untilAt: toOwnClock(pauseUntilAt) };
}
