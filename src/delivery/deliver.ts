import { withAttempt } from "../core/index.ts";
import type { DeliveryRecord } from "../core/index.ts";
import { done, expired, noProvider } from "./ending.ts";
import { informed, inquire } from "./inquiry.ts";
import { interruptedOutcome } from "./interruption.ts";
import { policyFor } from "./policy.ts";
import { attemptRecord, pendingRecipients } from "./record.ts";
import { bearerOf } from "./round.ts";
import type { DeliveryParts, Resolution, Round, Task } from "./round.ts";
import { planRoute } from "./route.ts";
import type { Upstream } from "./order.ts";
import { settle } from "./settle.ts";
import type { Settled } from "./settle.ts";
import { tryTier } from "./tier.ts";
import type { Progress } from "./tier.ts";
import { deferral, hold, isWaitedFor, waitFor, waitForSendAt, waitForThrottled } from "./waiting.ts";

/** Brings a message one round further: through the providers of its route until one takes it or none is left. */
export async function deliver(task: Task, parts: DeliveryParts): Promise<Resolution> {
  const resolution = await bringFurther(task, parts);
  // Slots that it booked and did not use are free for others.
  if (resolution.kind === "ended" && task.record.throttledSince !== null) {
    for (const { gate } of parts.upstreams) gate.limiter.release(task.message.id);
  }
  return resolution;
}

async function bringFurther(task: Task, parts: DeliveryParts): Promise<Resolution> {
  const policy = policyFor(task.submission, parts.classes, sinceOf(task));
  const isReleased = task.record.status === "held" || task.record.isReleased === true;
  // Someone who lets a held message go on has decided.
  const answer = policy.verify && !isReleased ? await inquire(task, task.record, parts) : null;
  const before = answer === null ? task.record : informed(task.record, answer);
  const route = planRoute(parts.upstreams, task, before, parts);
  const round: Round = { task, policy, route, parts };
  let record: DeliveryRecord = {
    ...before,
    status: "relaying",
    nextAttemptAt: null,
    skipped: route.skipped,
    ...(isReleased ? { isReleased } : {}),
  };

  if (task.openAttempt !== null) {
    const next = await takeOver(round, record);
    if ("kind" in next) return next;
    record = next.record;
  }
  if (pendingRecipients(record).length === 0) return done(record);
  if (parts.clock() >= policy.giveUpAt) return expired(record);
  if (answer?.kind === "unknown") return deferral(round, record, true);
  if (!isReleased && policy.onUncertain === "hold" && record.uncertainAt !== null) return hold(round, record);
  if (parts.clock() < policy.notBeforeAt) return waitForSendAt(round, record);
  if (route.upstreams.length === 0 && !route.mendable) return noProvider(record);

  return tryTiers(round, record);
}

/** Through the tiers of the route, one after the other. */
async function tryTiers(round: Round, begun: DeliveryRecord): Promise<Resolution> {
  const { policy, route, parts } = round;
  let progress: Progress = { record: begun, attempted: false, soonest: null };
  for (const [index, tier] of route.tiers.entries()) {
    const below = route.tiers.slice(index + 1).flat();
    const proceedAt = (settled: Settled, upstream: Upstream): Promise<Resolution | null> =>
      proceed(round, settled, upstream);
    const next = await tryTier(round, progress, { tier, below, proceed: proceedAt });
    if ("kind" in next) return next;
    progress = next;
    const { record, soonest } = progress;
    if (soonest !== null && isWaitedFor(soonest, record, policy, parts.clock())) return waitFor(round, record, soonest);
  }
  const { record, attempted, soonest } = progress;
  // Nobody is left, and somebody only asks for patience.
  if (!attempted && soonest !== null && soonest.kind !== "pause") return waitFor(round, record, soonest);
  return deferral(round, record, attempted);
}

/** What an attempt leads to; null: on to the next provider. Nothing is done before the ledger knows of it. */
async function proceed(round: Round, { record, decision }: Settled, upstream: Upstream): Promise<Resolution | null> {
  if (decision === null) return done(record);
  await round.task.journal.save(record);
  await round.task.publish(record);
  switch (decision) {
    case "hold":
      return hold(round, record);
    case "wait":
      return waitForThrottled(round, record, gateOpensAt(round, upstream), record.reason ?? "");
    case "ask":
    case "retry":
      return deferral(round, record, true);
    case "failover":
    case "defer":
      return null;
  }
}

/** Ends an attempt that a worker before this one left open, as far as the ledger knows how far it came. */
async function takeOver(
  round: Round,
  before: DeliveryRecord,
): Promise<Resolution | { readonly record: DeliveryRecord }> {
  const { task, parts } = round;
  if (task.openAttempt === null) return { record: before };
  const { number, provider, contentMayBeOut } = task.openAttempt;
  const outcome = interruptedOutcome(task.openAttempt);
  const endedAt = new Date(parts.clock()).toISOString();
  const startedAt = new Date(task.openAttempt.startedAt ?? parts.clock()).toISOString();
  // As the attempt itself would have said, had it come to its end.
  const possibleDuplicate = before.possibleDuplicate || (before.unsettled && contentMayBeOut);
  const made = attemptRecord(outcome, { number, provider, startedAt, endedAt });
  const record = withAttempt({ ...before, possibleDuplicate }, made);
  const upstream = parts.upstreams.find(({ name }) => name === provider);
  if (upstream === undefined) {
    // Its provider is no longer configured: nobody is left to ask, or to wait for.
    const orphaned = { ...record, unsettled: record.unsettled || outcome.kind === "uncertain" };
    await task.journal.save(orphaned);
    return { record: orphaned };
  }
  const settled = settle(round, record, upstream, outcome);
  const resolution = await proceed(round, settled, upstream);
  return resolution ?? { record: settled.record };
}

function gateOpensAt({ task, parts }: Round, upstream: Upstream): number {
  const admission = upstream.gate.admit(bearerOf(task));
  return admission.open ? parts.clock() : admission.untilAt;
}

function sinceOf({ dueAt, record }: Task): number {
  return record.reopenedAt === undefined ? dueAt : Math.max(dueAt, Date.parse(record.reopenedAt));
}
