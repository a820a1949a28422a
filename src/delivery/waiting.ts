import type { DeliveryRecord } from "../core/index.ts";
import type { SlotAnswer } from "../gate/limits/limiter.ts";
import { backoffMs } from "./backoff.ts";
import type { Upstream } from "./order.ts";
import type { Policy } from "./policy.ts";
import { pendingRecipients } from "./record.ts";
import { bearerOf } from "./round.ts";
import type { Resolution, Round, Task } from "./round.ts";

type Later = Extract<Resolution, { kind: "later" }>;

/** A message that finds all gates shut comes back no sooner than this. */
const SHORTEST_WAIT_MS = 500;

/** Until when the message waits for providers that are throttled, or at their limit, rather than go elsewhere. */
function patientUntil({ throttledSince }: DeliveryRecord, { whenThrottled }: Policy, now: number): number {
  return (throttledSince === null ? now : Date.parse(throttledSince)) + whenThrottled.maxWaitMs;
}

/** Whether a wait until then stays within what the message's policy gives to such providers. */
export function mayWait(record: DeliveryRecord, policy: Policy, untilAt: number, now: number): boolean {
  return untilAt <= patientUntil(record, policy, now);
}

/** How much longer it waits for them. */
export function patienceMs(record: DeliveryRecord, policy: Policy, now: number): number {
  return Math.max(0, patientUntil(record, policy, now) - now);
}

/** Asks for a slot at a provider for the recipients that still wait. It is booked where it is that near. */
export function askForSlot(
  { message }: Task,
  record: DeliveryRecord,
  { gate }: Upstream,
  bookWithinMs: number,
): Promise<SlotAnswer> {
  const { id, class: messageClass } = message;
  const recipientCount = pendingRecipients(record).length;
  return gate.limiter.reserve({ id, class: messageClass, recipientCount, bookWithinMs });
}

/** What a provider asks a message to wait for. A slot is of our own limits, and exact. */
export type Wait = {
  readonly upstream: Upstream;
  readonly kind: "pause" | "slot" | "booked slot" | "quota";
  readonly untilAt: number;
  readonly reason: string;
};

/** Whether the message's policy is to wait for this rather than go to a provider of a lower tier. */
export function isWaitedFor({ kind, untilAt }: Wait, record: DeliveryRecord, policy: Policy, now: number): boolean {
  return kind !== "quota" && mayWait(record, policy, untilAt, now);
}

/** Waits for what the provider asks for; for a slot until just then, and not later. */
export async function waitFor(round: Round, record: DeliveryRecord, wait: Wait): Promise<Later> {
  const { upstream, kind } = wait;
  const reason = `${upstream.name}: ${wait.reason}`;
  if (kind === "pause") return waitForThrottled(round, record, wait.untilAt, reason);
  const untilAt = kind === "slot" ? await book(round.task, record, upstream) : wait.untilAt;
  return patiently(round, record, untilAt, reason);
}

/** Books the slot that was only asked about. It may be another one by now. */
async function book(task: Task, record: DeliveryRecord, upstream: Upstream): Promise<number> {
  const slot = await askForSlot(task, record, upstream, Number.POSITIVE_INFINITY);
  if (slot.kind === "later") return slot.at;
  // Free meanwhile: it is asked for again in the next round, which is now.
  slot.end(false);
  return 0;
}

/** Waits for the end of a provider's pause. */
export function waitForThrottled(round: Round, record: DeliveryRecord, untilAt: number, reason: string): Later {
  return patiently(round, record, spread(round, untilAt), reason);
}

function patiently(round: Round, record: DeliveryRecord, at: number, reason: string): Later {
  const since = record.throttledSince ?? new Date(round.parts.clock()).toISOString();
  return { ...later(round, { ...record, throttledSince: since }, at, reason), fresh: true };
}

/** Waits for the time the app asked for. */
export function waitForSendAt(round: Round, record: DeliveryRecord): Later {
  return { ...later(round, record, round.policy.notBeforeAt, "not to be sent before its sendAt"), fresh: true };
}

/**
 * The round is over: waits for the earliest gate where all are shut, else as long as the table of delays says; so too
 * where no provider can take the message until an operator mends that.
 */
export function deferral(round: Round, record: DeliveryRecord, attempted: boolean): Later {
  const { task, route, parts } = round;
  const pinnedTo = record.uncertainAt;
  const admissions = route.upstreams
    .filter(({ name }) => pinnedTo === null || name === pinnedTo)
    .map(({ gate }) => gate.admit(bearerOf(task)));
  const openings = admissions.flatMap((admission) => (admission.open ? [] : [admission.untilAt]));
  const allShut = openings.length > 0 && openings.length === admissions.length;
  const at = allShut
    ? spread(round, Math.min(...openings))
    : parts.clock() + backoffMs(parts.backoff, task.submission.class, record.deferralCount, parts.random);
  const skips = record.skipped.map(({ provider, reason }) => `${provider}: ${reason}`).join("; ");
  return later(
    round,
    { ...record, deferralCount: record.deferralCount + (attempted || admissions.length === 0 ? 1 : 0) },
    at,
    attempted ? (record.reason ?? skips) : skips,
  );
}

/** Waits for an operator. Where none lets it go on, it ends as expired when its time is over. */
export function hold(round: Round, record: DeliveryRecord): Later {
  const reason = `held: ${record.uncertainAt ?? "a provider"} may have accepted it already`;
  const resolution = later(round, record, round.policy.giveUpAt, reason);
  return { ...resolution, record: { ...resolution.record, status: "held" } };
}

/** An instant, up to a tenth of the wait later, so that all that wait for it do not come at once. */
function spread({ parts }: Round, untilAt: number): number {
  const waitMs = Math.max(SHORTEST_WAIT_MS, untilAt - parts.clock());
  return parts.clock() + Math.ceil(waitMs * (1 + parts.random() / 10));
}

function later({ policy }: Round, record: DeliveryRecord, at: number, reason: string): Later {
  const due = Math.min(at, policy.giveUpAt);
  const nextAttemptAt = new Date(due).toISOString();
  return { kind: "later", record: { ...record, status: "deferred", reason, nextAttemptAt }, at: due, fresh: false };
}
