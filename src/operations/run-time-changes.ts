import { isActive } from "../control/cutover.ts";
import { describeHeld } from "../control/describe.ts";
import { holds } from "../control/state.ts";
import type { Held } from "../control/state.ts";
import type { FleetView } from "./fleet-view.ts";

/** Something that operators changed at run time, and that holds. */
export type StandingChange = {
  /** What holds, in words. */
  readonly sentence: string;
  readonly by: string;
  readonly reason: string;
  /** The command that ends it. */
  readonly undo: string;
};

/** Everything that holds at run time over the configuration: drains, weights, the preference, cutovers. */
export function standingChanges({ changes: { state, now } }: FleetView): StandingChange[] {
  const { drains, weights, preference, cutovers } = state;
  const changes: StandingChange[] = [];
  const add = (held: Held, { by, reason }: { by: string; reason: string }, undo: string): void => {
    changes.push({ sentence: describeHeld(held), by, reason, undo });
  };
  for (const [provider, value] of Object.entries(drains)) {
    if (holds(value, now)) add({ slot: "drain", provider, value }, value, `mailover resume ${provider}`);
  }
  if (preference !== null && holds(preference, now)) {
    add({ slot: "preference", value: preference }, preference, "mailover prefer --none");
  }
  for (const [provider, value] of Object.entries(weights)) {
    const undo = `mailover weight ${provider} configured --reason "..."`;
    if (holds(value, now)) add({ slot: "weight", provider, value }, value, undo);
  }
  for (const [provider, value] of Object.entries(cutovers)) {
    const undo = `mailover cutover --stop --to ${provider}`;
    if (isActive(value)) add({ slot: "cutover", provider, value }, value, undo);
  }
  return changes;
}
