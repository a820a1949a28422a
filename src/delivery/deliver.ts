import type { DeliveryRecord, Outcome } from "../core/index.ts";
import { attempt } from "./attempt.ts";
import { policyFor } from "./policy.ts";
import { attemptRecord, ended, pendingRecipients, withAttempt } from "./record.ts";
import type { DeliveryParts, Resolution, Round, Task } from "./round.ts";
import { planRoute } from "./route.ts";
import type { Upstream } from "./route.ts";
import { settle } from "./settle.ts";
import { deferral, hold, mayWait, waitForSendAt, waitForThrottled } from "./waiting.ts";

/** Brings a message one round further: through the providers of its route until one takes it or none is left. */
export async function deliver(task: Task, parts: DeliveryParts): Promise<Resolution> {
  const policy = policyFor(task.submission, parts.classes, sinceOf(task));
  const wanted = task.submission.providers;
  const route = planRoute(parts.upstreams, task.message, task.record, { wanted, random: parts.random });
  const round: Round = { task, policy, route, parts };
  let record: DeliveryRecord = { ...task.record, status: "relaying", nextAttemptAt: null, skipped: route.skipped };

  if (parts.clock() >= policy.giveUpAt) return expired(record);
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
    if (settled.decision === null) return done(record);
    await task.save(record);
    if (settled.decision === "hold") return hold(round, record);
    if (settled.decision === "wait")
      return waitForThrottled(round, record, gateOpensAt(round, upstream), record.reason ?? "");
    if (settled.decision === "retry") break;
  }
  return deferral(round, record, attempted);
}

async function makeAttempt(
  { task, policy, parts }: Round,
  before: DeliveryRecord,
  upstream: Upstream,
): Promise<{ record: DeliveryRecord; outcome: Outcome } | null> {
  // From here on a second copy is possible where an earlier attempt may have been accepted.
  const uncertain = before.uncertainAt !== null || before.attempts.at(-1)?.outcome === "uncertain";
  const record = { ...before, possibleDuplicate: before.possibleDuplicate || uncertain };
  const number = record.attemptCount + 1;
  const startedAt = new Date(parts.clock()).toISOString();
  const { giveUpAt } = policy;
  const trial = { message: task.message, recipients: pendingRecipients(record), number, giveUpAt };
  const outcome = await attempt(upstream, trial, task.signal, parts);
  if (outcome === null) return null;
  const endedAt = new Date(parts.clock()).toISOString();
  const facts = { number, provider: upstream.name, startedAt, endedAt };
  return { outcome, record: withAttempt(record, attemptRecord(outcome, facts)) };
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
