import type { History } from "./change-log.ts";
import { conflictOf } from "./cutover-plan.ts";
import { percentOf } from "./cutover.ts";
import type { Cutover, CutoverPlan } from "./cutover.ts";
import { describeMail } from "./describe.ts";
import type { Authorship } from "./overlay.ts";
import { membersOf, namesFor, namesOf } from "./pools.ts";
import type { Pools } from "./pools.ts";
import { holds } from "./state.ts";
import type { ControlState } from "./state.ts";

/** Why something is not done. Codes are for programs, the sentence is for people. */
export type Refusal = {
  readonly kind: "refused";
  readonly code: "invalid" | "unknown-provider" | "all-mail-waits" | "drained" | "conflict" | "not-kept";
  readonly sentence: string;
};

/** For how long a change may hold that ends by itself. */
const LONGEST_MS = 366 * 24 * 3_600_000;

const LONGEST_REASON = 500;
const LONGEST_NAME = 200;
const HEAVIEST = 1_000_000;

export function refuse(code: Refusal["code"], sentence: string): Refusal {
  return { kind: "refused", code, sentence };
}

/** The author is shown in logs and on terminals, so that it is one line of text. */
export function checkAuthor({ by, reason }: Authorship, isReasonNeeded: boolean): Refusal | null {
  return (
    checkText("by", by, 1, LONGEST_NAME) ?? checkText("reason", reason.trim(), isReasonNeeded ? 1 : 0, LONGEST_REASON)
  );
}

function checkText(field: string, value: string, least: number, most: number): Refusal | null {
  if (value.length < least)
    return refuse("invalid", `${field}: is empty; it stands in the log for those who come later`);
  if (value.length > most) return refuse("invalid", `${field}: ${value.length} characters are more than ${most}`);
  return /\p{Cc}/u.test(value) ? refuse("invalid", `${field}: holds a line break or another control character`) : null;
}

export function checkDuration(forMs: number | null): Refusal | null {
  if (forMs === null || (Number.isInteger(forMs) && forMs >= 1 && forMs <= LONGEST_MS)) return null;
  return refuse("invalid", `for: ${forMs} ms is not a whole number from 1 ms to ${LONGEST_MS} ms (366 days)`);
}

export function checkWeight(value: number | null): Refusal | null {
  if (value === null || (Number.isInteger(value) && value >= 1 && value <= HEAVIEST)) return null;
  return refuse("invalid", `weight: ${value} is not a whole number from 1 to ${HEAVIEST}`);
}

/** What names a change may give: those of the configuration. */
export type Known = {
  readonly providers: readonly string[];
  readonly pools: Pools;
  /** Which of the names a mistyped one most likely means, or null. */
  readonly suggest: (word: string, candidates: readonly string[]) => string | null;
};

export function checkName(name: string, { providers, pools, suggest }: Known): Refusal | null {
  const names = namesOf(providers, pools);
  if (names.includes(name)) return null;
  const meant = suggest(name, names);
  const question = meant === null ? "" : `; did you mean ${meant}?`;
  const sentence = `no provider is called ${JSON.stringify(name)}: there are ${names.join(", ")}${question}`;
  return refuse("unknown-provider", sentence);
}

/** Whether this drain would leave no provider. */
export function checkLast(name: string, { state, now }: History, { providers, pools }: Known): Refusal | null {
  const out = membersOf(name, pools);
  if (providers.some((provider) => !out.includes(provider) && drainOf(provider, state, now, pools) === null))
    return null;
  return refuse(
    "all-mail-waits",
    `${name} is the last provider that is not drained: without it all mail would wait in Redis, and expire when its time is over`,
  );
}

/** Mail is not moved to where none may go. */
export function checkNotDrained(name: string, { state, now }: History, pools: Pools): Refusal | null {
  const drains = membersOf(name, pools).map((member) => drainOf(member, state, now, pools));
  const [drained] = drains;
  if (drained === undefined || drains.includes(null)) return null;
  return refuse("drained", `${name} is drained: resume ${drained} first`);
}

/** The name under which a provider is drained: its own, or its pool's. */
export function drainOf(provider: string, { drains }: ControlState, now: number, pools: Pools): string | null {
  const isDrained = (name: string): boolean => drains[name] !== undefined && holds(drains[name], now);
  return namesFor(provider, pools).findLast(isDrained) ?? null;
}

/** One cutover at a time moves a message, and one a provider. */
export function checkConflict(
  plan: CutoverPlan,
  cutovers: Readonly<Record<string, Cutover>>,
  pools: Pools,
): Refusal | null {
  const other = conflictOf(plan, cutovers, pools);
  if (other === null) return null;
  const { to, when } = other.plan;
  return refuse(
    "conflict",
    `${percentOf(other)} % of ${describeMail(when)} goes to ${to} already: take that back first`,
  );
}
