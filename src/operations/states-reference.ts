import { TRANSITIONS } from "../ledger/states.ts";
import type { Transition } from "../ledger/states.ts";

/** The table of `docs/states.md`: every way from one state of a message to another, and who may move it. */
export function renderStates(): string {
  const rows = TRANSITIONS.map(({ from, to, by, when }) => [stateName(from), `\`${to}\``, by.join(", "), when]);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const header = ["from", "to", "moved by", "when"];
  return `${[header, header.map(() => "---"), ...rows].map(line).join("\n")}\n`;
}

function stateName(state: Transition["from"]): string {
  return state === null ? "(no record)" : `\`${state}\``;
}
