import { MESSAGE_CLASSES } from "../core/index.ts";
import type { Cutover, CutoverPlan } from "./cutover.ts";
import { isActive } from "./cutover.ts";
import { membersOf } from "./pools.ts";
import type { Pools } from "./pools.ts";
import type { Shift } from "./overlay.ts";

type When = Shift["when"];

const SECOND_MS = 1_000;
const DAY_MS = 24 * 3_600_000;
const MOST_STEPS = 20;
const LONGEST_TEXT = 200;

/** A domain in lower case; with `*.` before it, all below it. */
const DOMAIN = /^(?:\*\.)?[\p{L}\p{N}_](?:[\p{L}\p{N}_.-]*[\p{L}\p{N}_])?$/u;

/** What is wrong with a plan, naming the field, the value and the rule; null where nothing is. */
export function problemOfPlan(plan: CutoverPlan): string | null {
  return problemOfSteps(plan.steps) ?? problemOfNumbers(plan) ?? problemOfCondition(plan.when);
}

function problemOfNumbers({ everyMs, guardErrorsPercent, guardDelayMs, leastCount }: CutoverPlan): string | null {
  const rules: readonly [field: string, value: number, from: number, to: number][] = [
    ["everyMs", everyMs, SECOND_MS, 7 * DAY_MS],
    ["guardErrorsPercent", guardErrorsPercent, 0, 100],
    ["guardDelayMs", guardDelayMs, 1, 3 * DAY_MS],
    ["leastCount", leastCount, 0, 1_000_000],
  ];
  for (const [field, value, from, to] of rules) {
    if (!(value >= from && value <= to)) return `${field}: ${value} is not from ${from} to ${to}`;
  }
  return Number.isInteger(leastCount) ? null : `leastCount: ${leastCount} is no whole number`;
}

function problemOfSteps(steps: readonly number[]): string | null {
  const shown = steps.join(",");
  if (steps.length === 0) return "steps: there are none";
  if (steps.length > MOST_STEPS) return `steps: ${steps.length} are more than ${MOST_STEPS}`;
  if (!steps.every((step) => step > 0 && step <= 100))
    return `steps: ${shown} are not all above 0 and up to 100 percent`;
  if (!steps.every((step, index) => index === 0 || step > (steps[index - 1] ?? 0)))
    return `steps: ${shown} do not grow`;
  return steps.at(-1) === 100 ? null : `steps: ${shown} do not end with 100`;
}

function problemOfCondition(when: When): string | null {
  if (when.class !== undefined && !(MESSAGE_CLASSES as readonly string[]).includes(when.class)) {
    return `when.class: "${when.class}" is not one of ${MESSAGE_CLASSES.join(", ")}`;
  }
  for (const [field, value] of [
    ["when.senderDomain", when.senderDomain],
    ["when.recipientDomain", when.recipientDomain],
  ] as const) {
    if (value !== undefined && (!DOMAIN.test(value) || value !== value.toLowerCase())) {
      return `${field}: "${value}" is no domain in lower case such as contoso.com or *.contoso.com`;
    }
  }
  for (const [field, value] of [
    ["when.tenant", when.tenant],
    ["when.tag", when.tag],
  ] as const) {
    if (value !== undefined && (value === "" || value.length > LONGEST_TEXT)) {
      return `${field}: "${value}" has not 1 to ${LONGEST_TEXT} characters`;
    }
  }
  return null;
}

/** A cutover that this one would get in the way of: to the same provider, or of mail that may be the same. */
export function conflictOf(
  plan: CutoverPlan,
  cutovers: Readonly<Record<string, Cutover>>,
  pools: Pools = {},
): Cutover | null {
  const active = Object.values(cutovers).filter(isActive);
  const members = membersOf(plan.to, pools);
  const shareProvider = (to: string): boolean => membersOf(to, pools).some((name) => members.includes(name));
  return active.find((other) => shareProvider(other.plan.to) || mayShareMail(plan.when, other.plan.when)) ?? null;
}

/** Whether a message can meet both. One has any number of tags, so that two tags are no difference. */
function mayShareMail(a: When, b: When): boolean {
  if (differ(a.class, b.class) || differ(a.tenant, b.tenant)) return false;
  return !areApart(a.senderDomain, b.senderDomain) && !areApart(a.recipientDomain, b.recipientDomain);
}

function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

function areApart(a: string | undefined, b: string | undefined): boolean {
  return differ(a, b) && !covers(a, b) && !covers(b, a);
}

function covers(pattern = "", domain = ""): boolean {
  return pattern.startsWith("*.") && domain.endsWith(pattern.slice(1));
}
