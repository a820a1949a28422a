import type { MessageClass } from "../core/index.ts";
import type { CutoverPlan } from "../control/cutover.ts";
import { describeCutover } from "../control/describe-cutover.ts";
import { change, durationOf, withControl } from "./control.ts";

export type CutoverOptions = {
  readonly to?: string;
  readonly steps: string;
  readonly every: string;
  readonly guardErrors: string;
  readonly guardDelay: string;
  readonly atLeast: string;
  readonly class?: MessageClass;
  readonly tenant?: string;
  readonly senderDomain?: string;
  readonly recipientDomain?: string;
  readonly tag?: string;
  readonly reason?: string;
  readonly status?: true;
  readonly stop?: true;
};

/** `mailover cutover`: moves mail to another provider step by step; says how far it is; takes it back. */
export async function cutover(options: CutoverOptions): Promise<void> {
  if (options.status === true && options.stop === true) throw new Error("write --status or --stop, not both");
  if (options.status === true) return showCutovers();
  const { to } = options;
  if (options.stop === true) return change(options, (control, author) => control.stopCutover(to ?? null, author));
  if (to === undefined) throw new Error("--to: is missing: name the provider that mail is to move to");
  const plan = planOf(to, options);
  await change(options, (control, author) => control.cutover(plan, author));
}

async function showCutovers(): Promise<void> {
  await withControl(async (control) => {
    const { now, state } = await control.status();
    const cutovers = Object.values(state.cutovers).toSorted((a, b) => a.startedAt - b.startedAt);
    for (const shown of cutovers) {
      process.stdout.write(`${describeCutover(shown, await control.figures(shown), now).join("\n")}\n`);
    }
    if (cutovers.length === 0) process.stdout.write("there was no cutover\n");
  });
}

function planOf(to: string, options: CutoverOptions): CutoverPlan {
  const { tenant, tag } = options;
  return {
    to,
    when: {
      class: options.class,
      tenant,
      senderDomain: options.senderDomain?.toLowerCase(),
      recipientDomain: options.recipientDomain?.toLowerCase(),
      tag,
    },
    steps: options.steps.split(",").map((step) => numberOf("--steps", step)),
    everyMs: durationOf("--every", options.every) ?? 0,
    guardErrorsPercent: numberOf("--guard-errors", options.guardErrors),
    guardDelayMs: durationOf("--guard-delay", options.guardDelay) ?? 0,
    leastCount: numberOf("--at-least", options.atLeast),
  };
}

/** A number, with or without a percent sign. */
function numberOf(option: string, text: string): number {
  const digits = /^\s*(\d+(?:\.\d+)?)\s*%?\s*$/.exec(text)?.[1];
  if (digits === undefined) throw new Error(`${option}: "${text}" is no number`);
  return Number(digits);
}
