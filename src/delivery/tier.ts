import type { DeliveryRecord, Outcome } from "../core/index.ts";
import { isSparing } from "../gate/admission.ts";
import type { Admission } from "../gate/admission.ts";
import type { SlotAnswer } from "../gate/limits/limiter.ts";
import { makeAttempt } from "./make-attempt.ts";
import type { Upstream } from "./order.ts";
import { bearerOf } from "./round.ts";
import type { Resolution, Round } from "./round.ts";
import { settle } from "./settle.ts";
import type { Settled } from "./settle.ts";
import { expired } from "./ending.ts";
import { askForSlot, patienceMs } from "./waiting.ts";
import type { Wait } from "./waiting.ts";

/** How far a round has come. */
export type Progress = {
  readonly record: DeliveryRecord;
  readonly attempted: boolean;
  /** The provider that asks for the shortest wait, of those that only ask for one. */
  readonly soonest: Wait | null;
};

export type TierParts = {
  readonly tier: readonly Upstream[];
  /** Providers of the tiers below. */
  readonly below: readonly Upstream[];
  /** What an attempt leads to; null: on to the next provider. */
  readonly proceed: (settled: Settled, upstream: Upstream) => Promise<Resolution | null>;
};

/** Asks the providers of one tier in turn, until one takes the message. What is left to do goes on with the progress. */
export async function tryTier(
  round: Round,
  before: Progress,
  { tier, below, proceed }: TierParts,
): Promise<Resolution | Progress> {
  const { task, policy, parts } = round;
  let { record, attempted, soonest } = before;
  const ahead = [...tier];
  for (let upstream = ahead.shift(); upstream !== undefined; upstream = ahead.shift()) {
    const others = [...ahead, ...below];
    const admission = ask(round, upstream, others);
    if (task.signal.aborted && admission.open) return { kind: "handed-back", record };
    if (parts.clock() >= policy.giveUpAt && admission.open) return expired(record);

    // Where an equal is still to be asked, no slot is booked here: that one may have an earlier one.
    const bookWithinMs = ahead.length === 0 ? patienceMs(record, policy, parts.clock()) : 0;
    const slot = admission.open ? await askForSlot(task, record, upstream, bookWithinMs) : admission;
    if (!isGranted(slot)) {
      const { reason } = slot;
      if (slot.cause === "slow") upstream.gate.passedBy();
      // Mail that is moved to a provider that is down fares no better for having been spared the attempt.
      if (slot.cause === "breaker") tellOfShifted(round, upstream, false);
      record = { ...record, skipped: [...record.skipped, { provider: upstream.name, reason }] };
      const wait = waitOf(upstream, slot);
      if (wait !== null && (soonest === null || wait.untilAt < soonest.untilAt)) soonest = wait;
      continue;
    }
    const made = await makeAttempt(round, record, upstream, { slot, others });
    if (made.kind === "turned-away") {
      // The gate shut while the message stood before it: it is asked again.
      ahead.unshift(upstream);
      continue;
    }
    if (made.kind === "hedged") {
      record = { ...record, skipped: [...record.skipped, { provider: upstream.name, reason: made.reason }] };
      continue;
    }
    attempted = true;
    tellOfShifted(round, upstream, isWell(made.outcome));
    const settled = settle(round, made.record, upstream, made.outcome);
    record = settled.record;
    const resolution = await proceed(settled, upstream);
    if (resolution !== null) return resolution;
  }
  return { record, attempted, soonest };
}

/** Where operators moved the message to this provider, they hear how it fared there. */
function tellOfShifted({ task, policy, route, parts }: Round, { name: provider }: Upstream, ok: boolean): void {
  if (!route.shifted.includes(provider)) return;
  const dueAt = Math.max(task.dueAt, policy.notBeforeAt);
  parts.onShifted({ provider, ok, delayMs: Math.max(0, parts.clock() - dueAt) });
}

/** What is the recipient's fault, or the message's, says nothing about the provider. */
function isWell(outcome: Outcome): boolean {
  return outcome.kind === "relayed" || outcome.failure.scope === "message" || outcome.failure.scope === "recipient";
}

type Granted = Extract<SlotAnswer, { kind: "granted" }>;
type Refused = Extract<Admission, { open: false }> | Extract<SlotAnswer, { kind: "later" }>;

function isGranted(slot: Granted | Refused): slot is Granted {
  return "kind" in slot && slot.kind === "granted";
}

/** A gate that only spares its provider is asked once more, where no other provider is left. */
function ask({ task }: Round, { gate }: Upstream, others: readonly Upstream[]): Admission {
  const bearer = bearerOf(task);
  const admission = gate.admit(bearer);
  if (admission.open || !isSparing(admission)) return admission;
  const isAlone = others.every((other) => !other.gate.admit(bearer).open);
  return isAlone ? gate.admit({ ...bearer, isAlone }) : admission;
}

function waitOf(upstream: Upstream, refused: Refused): Wait | null {
  if ("open" in refused) {
    if (refused.cause !== "throttled") return null;
    return { upstream, untilAt: refused.untilAt, reason: refused.reason, kind: "pause" };
  }
  const { at: untilAt, reason, booked, cause } = refused;
  if (cause === "recipients" || cause === "month") return { upstream, untilAt, reason, kind: "quota" };
  return { upstream, untilAt, reason, kind: booked ? "booked slot" : "slot" };
}
