import type { Authorship } from "./overlay.ts";
import type { CutoverPlan } from "./cutover.ts";
import type { Held } from "./state.ts";

/** What somebody did. `untilAt` in epoch milliseconds of Redis; null: until somebody ends it. */
export type Action =
  | { readonly action: "drain"; readonly provider: string; readonly untilAt: number | null }
  | { readonly action: "resume"; readonly provider: string }
  | { readonly action: "prefer"; readonly provider: string; readonly untilAt: number | null }
  | { readonly action: "unprefer" }
  /** `value` in place of the configured weight; null: the configured one again. */
  | {
      readonly action: "weight";
      readonly provider: string;
      readonly value: number | null;
      readonly untilAt: number | null;
    }
  /** Undoes a change: what it touched is again as it was before it. */
  | { readonly action: "rollback"; readonly undoes: number; readonly restores: Held }
  | { readonly action: "cutover.started"; readonly plan: CutoverPlan }
  | {
      readonly action: "cutover.stepped" | "cutover.done" | "cutover.rolled-back" | "cutover.stopped";
      readonly provider: string;
      /** Index into the steps of its plan. */
      readonly step: number;
      readonly percent: number;
    };

/** One entry of the log. Versions count up from 1, without gaps; `at` is Redis's time, epoch milliseconds. */
export type Change = Authorship & Action & { readonly version: number; readonly at: number };

type WithoutEnd<A> = A extends { readonly untilAt: number | null } ? Omit<A, "untilAt"> & { forMs: number | null } : A;

/** A change to be made. How long it is to hold, not until when: only Redis knows when it begins. */
export type Draft = Authorship & WithoutEnd<Action>;

/** An entry as it lies in Redis: the script puts version and time before what it is given. */
export function parseEntry(line: string): Change {
  const [version = "", at = ""] = line.split(" ", 2);
  const draft = JSON.parse(line.slice(version.length + at.length + 2)) as Draft;
  const stamp = { version: Number(version), at: Number(at) };
  if (!("forMs" in draft)) return { ...draft, ...stamp };
  const { forMs, ...rest } = draft;
  return { ...rest, ...stamp, untilAt: forMs === null ? null : stamp.at + forMs };
}
