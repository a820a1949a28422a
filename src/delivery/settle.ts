import type { DeliveryRecord, Failure, Outcome, RecipientRecord } from "../core/index.ts";
import { decide } from "./decide.ts";
import type { Circumstances, Decision } from "./decide.ts";
import { clipped, pendingRecipients, withRecipients } from "./record.ts";
import { bearerOf } from "./round.ts";
import type { Round } from "./round.ts";
import type { Upstream } from "./order.ts";
import { mayWait } from "./waiting.ts";

export type Settled = {
  readonly record: DeliveryRecord;
  /** What is done next for those that still wait; null: nobody does. */
  readonly decision: Exclude<Decision, "bounce"> | null;
};

/** When recipients fare differently, the most careful decision holds for all that still wait. */
const CAREFUL_FIRST = ["hold", "ask", "retry", "wait", "failover", "defer"] as const satisfies readonly Decision[];

/** Applies an outcome to each recipient it was for, and says what is next for the rest. */
export function settle(round: Round, record: DeliveryRecord, upstream: Upstream, outcome: Outcome): Settled {
  const provider = upstream.name;
  const circumstances = circumstancesOf(round, record, upstream);
  const refusals = new Map(outcome.refused.map(({ recipient, failure }) => [recipient, failure]));
  const changes = new Map<string, Omit<RecipientRecord, "address">>();
  const decisions = new Set<Decision>();
  let refusedForGood = false;
  let isUncertain = false;
  let latest: Failure | null = null;
  for (const recipient of pendingRecipients(record)) {
    const failure = refusals.get(recipient) ?? (outcome.kind === "relayed" ? null : outcome.failure);
    if (failure === null) {
      changes.set(recipient, { status: "relayed", provider, reason: null });
      continue;
    }
    const decision = decide(failure, circumstances);
    if (decision === "bounce") {
      changes.set(recipient, { status: "refused", provider, reason: clipped(failure.reason) });
      continue;
    }
    decisions.add(decision);
    latest = failure;
    refusedForGood ||= failure.scope === "message";
    // Of any recipient: the latest may just have been put off.
    isUncertain ||= failure.cause === "uncertain";
    changes.set(recipient, { status: "pending", provider: null, reason: clipped(failure.reason) });
  }
  const decision = CAREFUL_FIRST.find((candidate) => decisions.has(candidate)) ?? null;
  return {
    decision,
    record: {
      ...withRecipients(record, changes),
      ...(outcome.kind === "relayed" ? { provider, remoteId: outcome.remoteId } : {}),
      reason: latest === null ? null : `${provider}: ${clipped(latest.reason)}`,
      uncertainAt: decision === "ask" || decision === "retry" || decision === "hold" ? provider : null,
      unsettled: decision !== null && (record.unsettled || isUncertain),
      ...(isUncertain && record.isReleased === true ? { isReleased: false } : {}),
      lookupCount: isUncertain ? 0 : record.lookupCount,
      refusedBy: refusedForGood ? [...record.refusedBy, provider] : record.refusedBy,
      throttledSince: latest?.cause === "throttled" ? record.throttledSince : null,
    },
  };
}

function circumstancesOf(
  { task, policy, route, parts }: Round,
  record: DeliveryRecord,
  upstream: Upstream,
): Circumstances {
  const others = [...route.upstreams, ...route.drained].filter(
    (other) => other !== upstream && !record.refusedBy.includes(other.name),
  );
  const admission = upstream.gate.admit(bearerOf(task));
  return {
    othersLeft: others.length,
    onUncertain: policy.onUncertain,
    canAsk: policy.verify && upstream.gate.provider.lookup !== undefined,
    mayWait: admission.open || mayWait(record, policy, admission.untilAt, parts.clock()),
    pinned: record.uncertainAt === upstream.name,
  };
}
