import { countOf, describeFigures, isActive, percentOf } from "./cutover.ts";
import type { Cutover, CutoverFigures } from "./cutover.ts";
import { describeMail, inWords } from "./describe.ts";

/** Where a cutover stands and what comes next, in lines for people. `now` is Redis's time. */
export function describeCutover(cutover: Cutover, figures: CutoverFigures, now: number): string[] {
  const { plan, phase, step, by, reason, note } = cutover;
  const since = new Date(cutover.since).toISOString();
  const begun = `begun by ${by} at ${new Date(cutover.startedAt).toISOString()} (${reason})`;
  if (!isActive(cutover)) {
    const because = note === "" ? "" : `: ${note}`;
    return [`cutover to ${plan.to} ${phase} at ${since}${because}`, `  ${begun}`];
  }
  const mail = `${percentOf(cutover)} % of ${describeMail(plan.when)} goes to ${plan.to} first`;
  if (phase === "done") return [`cutover to ${plan.to} done at ${since}: ${mail}`, `  ${begun}`];
  return [
    `cutover to ${plan.to}: ${mail}, step ${step + 1} of ${plan.steps.length} since ${since}`,
    `  ${describeFigures(plan, figures)}; ${nextOf(cutover, figures, now)}`,
    `  goes back when more than ${plan.guardErrorsPercent} % fail, or more than 5 % take longer than ${inWords(plan.guardDelayMs)}`,
    `  ${begun}`,
  ];
}

/** What the present step waits for. */
function nextOf({ plan, step, since }: Cutover, figures: CutoverFigures, now: number): string {
  const percent = plan.steps[step + 1];
  const next = percent === undefined ? "is done" : `goes on to ${percent} %`;
  const missingCount = plan.leastCount - countOf(figures);
  const at = since + plan.everyMs;
  const time = now < at ? [`not before ${new Date(at).toISOString()}`] : [];
  const messages = missingCount > 0 ? [`after ${missingCount} more messages`] : [];
  return [next, ...(time.length + messages.length === 0 ? ["within seconds"] : [...time, ...messages])].join(", ");
}
