import type { Change } from "./change.ts";
import { isActive, percentOf } from "./cutover.ts";
import type { Shift } from "./overlay.ts";
import type { Held } from "./state.ts";

/** What a change did, in words without its author. */
export function describeChange(change: Change): string {
  const because = change.reason === "" ? "" : ` (${change.reason})`;
  return `${describeAction(change)}${because}`;
}

function describeAction(change: Change): string {
  switch (change.action) {
    case "drain":
      return `${change.provider} is drained${until(change.untilAt)}`;
    case "resume":
      return `${change.provider} is no longer drained`;
    case "prefer":
      return `${change.provider} goes before all others${until(change.untilAt)}`;
    case "unprefer":
      return "no provider is preferred";
    case "weight":
      return change.value === null
        ? `the weight of ${change.provider} is as configured`
        : `the weight of ${change.provider} is ${change.value}${until(change.untilAt)}`;
    case "rollback":
      return `change ${change.undoes} is undone: ${describeHeld(change.restores)}`;
    case "cutover.started": {
      const { to, when, steps, everyMs } = change.plan;
      return `${describeMail(when)} moves to ${to} in steps of ${steps.join(", ")} %, one every ${inWords(everyMs)}`;
    }
    case "cutover.stepped":
      return `cutover to ${change.provider} at ${change.percent} %`;
    case "cutover.done":
      return `cutover to ${change.provider} is done`;
    case "cutover.rolled-back":
      return `cutover to ${change.provider} went back by itself`;
    case "cutover.stopped":
      return `cutover to ${change.provider} is taken back`;
    default:
      return "a change that only a later release knows";
  }
}

/** What holds, in words. */
export function describeHeld(held: Held): string {
  switch (held.slot) {
    case "drain":
      return held.value === null
        ? `${held.provider} is not drained`
        : `${held.provider} gets no mail${until(held.value.untilAt)}`;
    case "weight":
      return held.value === null
        ? `${held.provider} has its configured weight`
        : `${held.provider} has the weight ${held.value.value}${until(held.value.untilAt)}`;
    case "preference":
      return held.value === null
        ? "no provider is preferred"
        : `${held.value.provider} goes before all others${until(held.value.untilAt)}`;
    case "cutover": {
      const { value, provider } = held;
      if (value === null || !isActive(value)) return `no mail moves to ${provider}`;
      return `${percentOf(value)} % of ${describeMail(value.plan.when)} goes to ${provider} first`;
    }
    default:
      return "something that only a later release knows";
  }
}

/** What mail a condition is about: `all mail`, `mail of class bulk and tenant 7`. */
export function describeMail(when: Shift["when"]): string {
  const parts = [
    ["class", when.class],
    ["tenant", when.tenant],
    ["sender domain", when.senderDomain],
    ["recipient domain", when.recipientDomain],
    ["tag", when.tag],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]));
  return parts.length === 0 ? "all mail" : `mail of ${parts.join(" and ")}`;
}

/** ` until 2026-11-24T12:00:00.000Z`, or nothing where it has no end. */
export function until(untilAt: number | null): string {
  return untilAt === null ? "" : ` until ${new Date(untilAt).toISOString()}`;
}

/** Whole minutes as such, all else in seconds. */
export function inWords(durationMs: number): string {
  return durationMs % 60_000 === 0 ? `${durationMs / 60_000} min` : `${durationMs / 1_000} s`;
}
