import { withAttempt } from "../core/index.ts";
import type { DeliveryRecord, Outcome } from "../core/index.ts";
import { attempt } from "./attempt.ts";
import { informed, inquire } from "./inquiry.ts";
import { interruptedOutcome } from "./interruption.ts";
import { policyFor } from "./policy.ts";
import { attemptRecord, ended, pendingRecipients } from "./record.ts";
import type { DeliveryParts, Resolution, Round, Task } from "./round.ts";
import { planRoute } from "./route.ts";
import type { Upstream } from "./route.ts";
import { settle } from "./settle.ts";
import type { Settled } from "./settle.ts";
import { deferral, hold, mayWait, waitForSendAt, waitForThrottled } from "./waiting.ts";

/** Brings a message one round further: through the providers of its route until one takes it or none is left. */
export async function deliver(task: Task, parts: DeliveryParts): Promise<Resolution> {
  const policy = policyFor(task.submission, parts.classes, sinceOf(task));
  const isReleased = task.record.status === "held" || task.record.isReleased === true;
  // Someone who lets a held message go on has decided.
  const answer = policy.verify && !isReleased ? await inquire(task, task.record, parts) : null;
  const before = answer === null ? task.record : informed(task.record, answer);
  const route = planRoute(parts.upstreams, task.message, before, {
    wanted: task.submission.providers,
    random: parts.random,
  });
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

  let attempted = false;
  const ahead = [...route.upstreams];
  for (let upstream = ahead.shift(); upstream !== undefined; upstream = ahead.shift()) {
    const admission = upstream.gate.admit(task.message.from.address);
    if (!admission.open) {
      const { cause, reason, untilAt } = admission;
      record = { ...record, skipped: [...record.skipped, { provider: upstream.name, reason }] };
      const waits = cause === "throttled" && mayWait(record, policy, untilAt, parts.clock());
      if (waits) return waitForThrottled(round, record, untilAt, `${upstream.name}: ${reason}`);
      continue;
    }
    if (task.signal.aborted) return { kind: "handed-back", record };
    if (parts.clock() >= policy.giveUpAt) return expired(record);

    const made = await makeAttempt(round, record, upstream);
    if (made === null) {
      // The gate shut while the message stood before it: it is asked again.
      ahead.unshift(upstream);
      continue;
    }
    attempted = true;
    const settled = settle(round, made.record, upstream, made.outcome);
    record = settled.record;
    const resolution = await proceed(round, settled, upstream);
    if (resolution !== null) return resolution;
  }
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

async function makeAttempt(
  { task, policy, parts }: Round,
  before: DeliveryRecord,
  upstream: Upstream,
): Promise<{ record: DeliveryRecord; outcome: Outcome } | null> {
  // From here on a second copy is possible where an earlier attempt may have been accepted.
  const record = { ...before, possibleDuplicate: before.possibleDuplicate || before.unsettled };
  const number = record.attemptCount + 1;
  const startedAt = new Date(parts.clock()).toISOString();
  const entry = task.journal.entry(number, upstream.name);
  const { giveUpAt } = policy;
  const trial = { message: task.message, recipients: pendingRecipients(record), number, giveUpAt, entry };
  const outcome = await attempt(upstream, trial, task.signal, parts);
  if (outcome === null) return null;
  const endedAt = new Date(parts.clock()).toISOString();
  const facts = { number, provider: upstream.name, startedAt, endedAt };
  return { outcome, record: withAttempt(record, attemptRecord(outcome, facts)) };
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
  const admission = upstream.gate.admit(task.message.from.address);
  return admission.open ? parts.clock() : admission.untilAt;
}

function sinceOf({ dueAt, record }: Task): number {
  return record.reopenedAt === undefined ? dueAt : Math.max(dueAt, Date.parse(record.reopenedAt));
}

/** Nobody waits any more: each recipient was relayed or refused. */
function done(record: DeliveryRecord): Resolution {
  const refused = record.recipients.find(({ status }) => status === "refused");
  return { kind: "ended", record: ended(record, "bounced", refused?.reason ?? "") };
}

function expired(record: DeliveryRecord): Resolution {
  const last = record.reason === null ? "no attempt was made in time" : `it last waited because of ${record.reason}`;
  return { kind: "ended", record: ended(record, "expired", last) };
}

function noProvider(record: DeliveryRecord): Resolution {
  const reasons = record.skipped.map(({ provider, reason }) => `${provider}: ${reason}`).join("; ");
  return { kind: "ended", record: ended(record, "bounced", `no provider can take this message: ${reasons}`) };
}
