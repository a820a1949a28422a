import { TRANSITIONS } from "../ledger/states.ts";
import type { Transition } from "../ledger/states.ts";
import { table } from "./table.ts";

/** The table of `docs/states.md`: every way from one state of a message to another, and who may move it. */
export function renderStates(): string {
  const rows = TRANSITIONS.map(({ from, to, by, when }) => [stateName(from), `\`${to}\``, by.join(", "), when]);
  return `${table(["from", "to", "moved by", "when"], rows)}\n`;
}

function stateName(state: Transition["from"]): string {
  return state === null ? "(no record)" : `\`${state}\``;
}
