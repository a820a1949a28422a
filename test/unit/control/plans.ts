import type { CutoverPlan } from "../../../src/control/cutover.ts";

/** A plan for all mail to go to sendgrid, but for what is given. */
export function planOf(more: Partial<CutoverPlan> = {}): CutoverPlan {
  return {
    to: "sendgrid",
    when: {},
    steps: [5, 25, 50, 100],
    everyMs: 600_000,
    guardErrorsPercent: 2,
    guardDelayMs: 30_000,
    leastCount: 50,
    ...more,
  };
}
