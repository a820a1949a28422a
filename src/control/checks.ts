import { conflictOf } from "./cutover-plan.ts";
import { percentOf } from "./cutover.ts";
import type { Cutover, CutoverPlan } from "./cutover.ts";
import { describeMail } from "./describe.ts";
import type { Authorship } from "./overlay.ts";
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

/** `suggest`: which of the names a mistyped one most likely means, or null. */
export function checkProvider(
  name: string,
  providers: readonly string[],
  suggest: (word: string, candidates: readonly string[]) => string | null,
): Refusal | null {
  if (providers.includes(name)) return null;
  const meant = suggest(name, providers);
  const question = meant === null ? "" : `; did you mean ${meant}?`;
  return refuse(
    "unknown-provider",
    `no provider is called ${JSON.stringify(name)}: there are ${providers.join(", ")}${question}`,
  );
}

/** Whether this drain would leave no provider. */
export function checkLast(
  name: string,
  providers: readonly string[],
  state: ControlState,
  now: number,
): Refusal | null {
  const others = providers.filter((provider) => provider !== name && !isDrained(provider, state, now));
  if (others.length > 0) return null;
  return refuse(
    "all-mail-waits",
    `${name} is the last provider that is not drained: without it all mail would wait in Redis, and expire when its time is over`,
  );
}

/** Mail is not moved to where none may go. */
export function checkNotDrained(name: string, state: ControlState, now: number): Refusal | null {
  return isDrained(name, state, now) ? refuse("drained", `${name} is drained: resume it first`) : null;
}

function isDrained(provider: string, { drains }: ControlState, now: number): boolean {
  const drain = drains[provider];
  return drain !== undefined && holds(drain, now);
}

/** One cutover at a time moves a message. */
export function checkConflict(plan: CutoverPlan, cutovers: Readonly<Record<string, Cutover>>): Refusal | null {
  const other = conflictOf(plan, cutovers);
  if (other === null) return null;
  const { to, when } = other.plan;
  return refuse(
    "conflict",
    `${percentOf(other)} % of ${describeMail(when)} goes to ${to} already: take that back first`,
  );
}
