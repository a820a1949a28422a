import type { Authorship, Shift } from "./overlay.ts";

/** How mail is to move to another provider, step by step. */
export type CutoverPlan = {
  readonly to: string;
  /** What mail it is about. */
  readonly when: Shift["when"];
  /** Percent of that mail, growing; the last is 100. */
  readonly steps: readonly number[];
  /** Least time of each step, in milliseconds. */
  readonly everyMs: number;
  /** Goes back when more of the mail that was moved fails there, in percent. */
  readonly guardErrorsPercent: number;
  /** Goes back when more than 5 % of what it accepted came later than this after it was due: its p95, in milliseconds. */
  readonly guardDelayMs: number;
  /** A step is not left for the next one before it has seen so many messages. */
  readonly leastCount: number;
};

/** `done` and `running` mail goes to `to`; of the others none does any more. */
export type CutoverPhase = "running" | "done" | "rolled back" | "stopped";

/** A cutover and how far it came. Instants are epoch milliseconds of Redis. */
export type Cutover = Authorship & {
  readonly plan: CutoverPlan;
  readonly phase: CutoverPhase;
  /** Index into the steps of the plan. */
  readonly step: number;
  readonly startedAt: number;
  /** When the present step, or phase, began. */
  readonly since: number;
  /** The change that began it; the figures of a step are kept under it. */
  readonly version: number;
  /** Why it is where it is. */
  readonly note: string;
};

/** What became of the mail that was moved, in the present step. */
export type CutoverFigures = {
  readonly okCount: number;
  readonly failedCount: number;
  /** Of those that went well, how many were later than the plan allows. */
  readonly slowCount: number;
};

export const NO_FIGURES: CutoverFigures = { okCount: 0, failedCount: 0, slowCount: 0 };

/** What may be slower where the guard is on the p95. */
const SLOW_SHARE = 0.05;

/** The share of its mail that a cutover moves now, in percent. */
export function percentOf({ phase, plan, step }: Cutover): number {
  return phase === "running" || phase === "done" ? (plan.steps[step] ?? 0) : 0;
}

/** Whether it moves mail. */
export function isActive({ phase }: Cutover): boolean {
  return phase === "running" || phase === "done";
}

/**
 * What a cutover comes to, given what its present step has seen: back, on to the next step, done, or as it is (the same
 * object). Without I/O; `now` is Redis's time.
 */
export function advance(cutover: Cutover, figures: CutoverFigures, now: number): Cutover {
  if (cutover.phase !== "running") return cutover;
  const { plan, step, since } = cutover;
  const broken = brokenGuard(plan, figures);
  if (broken !== null) return { ...cutover, phase: "rolled back", since: now, note: broken };
  const isOver = now - since >= plan.everyMs && countOf(figures) >= plan.leastCount;
  if (!isOver) return cutover;
  const note = describeFigures(plan, figures);
  if (step === plan.steps.length - 1) return { ...cutover, phase: "done", since: now, note };
  return { ...cutover, step: step + 1, since: now, note };
}

/**
 * The guard that is broken, in words with its figures, or null. While fewer messages were seen than a step needs, the rest
 * of them count as if they went well: a guard that breaks even so is not worth waiting for.
 */
function brokenGuard(plan: CutoverPlan, figures: CutoverFigures): string | null {
  const { okCount, failedCount, slowCount } = figures;
  const failedPercent = (100 * failedCount) / Math.max(1, countOf(figures), plan.leastCount);
  if (failedPercent > plan.guardErrorsPercent) {
    return `${failedCount} of ${countOf(figures)} failed, more than ${plan.guardErrorsPercent} %`;
  }
  if (slowCount > SLOW_SHARE * Math.max(1, okCount, plan.leastCount)) {
    return `${slowCount} of ${okCount} took longer than ${plan.guardDelayMs / 1000} s, more than ${100 * SLOW_SHARE} %`;
  }
  return null;
}

export function countOf({ okCount, failedCount }: CutoverFigures): number {
  return okCount + failedCount;
}

/** `120 seen, 1 failed, 3 took longer than 30 s` */
export function describeFigures({ guardDelayMs }: CutoverPlan, figures: CutoverFigures): string {
  const { failedCount, slowCount } = figures;
  return `${countOf(figures)} seen, ${failedCount} failed, ${slowCount} took longer than ${guardDelayMs / 1000} s`;
}
