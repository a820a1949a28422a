import type { History } from "./change-log.ts";
import { checkConflict, checkLast, checkNotDrained, refuse } from "./checks.ts";
import type { Known, Refusal } from "./checks.ts";
import { isActive } from "./cutover.ts";
import { foldChanges, heldBefore, holds } from "./state.ts";
import type { Held } from "./state.ts";

/** What a change touched, as it was before it. */
export function restoredBy({ before, changes, state }: History, version: number): Held | Refusal {
  if (!Number.isInteger(version) || version < 1 || version > state.version) {
    return refuse("invalid", `version: there is no change ${version}; the latest is ${state.version}`);
  }
  const change = changes.find((candidate) => candidate.version === version);
  if (change === undefined) {
    return refuse("not-kept", `version: change ${version} is no longer kept; the oldest is ${before.version + 1}`);
  }
  const earlier = foldChanges(
    changes.filter((candidate) => candidate.version < version),
    before,
  );
  const held = heldBefore(earlier, change);
  return held ?? refuse("not-kept", `version: what change ${version} touched only a later release knows`);
}

/** What is restored must be as possible now as if it were asked for now. */
export function checkRestored(restored: Held, history: History, known: Known, allMailWaits: boolean): Refusal | null {
  const { state, now } = history;
  if (restored.value === null) return null;
  if (restored.slot === "cutover" && isActive(restored.value)) {
    const { [restored.provider]: _, ...others } = state.cutovers;
    return (
      checkNotDrained(restored.provider, history, known.pools) ??
      checkConflict(restored.value.plan, others, known.pools)
    );
  }
  if (restored.slot === "drain" && !allMailWaits && holds(restored.value, now)) {
    return checkLast(restored.provider, history, known);
  }
  return null;
}
