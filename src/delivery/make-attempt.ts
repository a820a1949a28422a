import { contentHasBegun, withAttempt } from "../core/index.ts";
import type { DeliveryRecord, Outcome, Stage } from "../core/index.ts";
import type { SlotAnswer } from "../gate/limits/limiter.ts";
import { attempt } from "./attempt.ts";
import type { Upstream } from "./order.ts";
import { attemptRecord, pendingRecipients } from "./record.ts";
import { bearerOf } from "./round.ts";
import type { Round } from "./round.ts";

export type MadeAttempt =
  | { readonly kind: "made"; readonly record: DeliveryRecord; readonly outcome: Outcome }
  /** Its gate shut before anything was tried. */
  | { readonly kind: "turned-away" }
  /** It waited for a connection for too long: the message goes to the next provider, and nothing was tried. */
  | { readonly kind: "hedged"; readonly reason: string };

/** Makes one attempt, writes it into the record, and gives its slot back. */
export async function makeAttempt(
  { task, policy, parts }: Round,
  before: DeliveryRecord,
  upstream: Upstream,
  { slot, others }: { readonly slot: Extract<SlotAnswer, { kind: "granted" }>; readonly others: readonly Upstream[] },
): Promise<MadeAttempt> {
  // From here on a second copy is possible where an earlier attempt may have been accepted.
  const record = { ...before, possibleDuplicate: before.possibleDuplicate || before.unsettled };
  const number = record.attemptCount + 1;
  const startedAt = new Date(parts.clock()).toISOString();
  const entry = task.journal.entry(number, upstream.name);
  const canHedge = policy.hedgeAfterMs !== null && others.some(({ gate }) => gate.admit(bearerOf(task)).open);
  const trial = {
    message: task.message,
    recipients: pendingRecipients(record),
    number,
    giveUpAt: policy.giveUpAt,
    hedgeAfterMs: canHedge ? policy.hedgeAfterMs : null,
    entry,
  };
  let hasCounted = false;
  try {
    const outcome = await attempt(upstream, trial, task.signal, parts);
    if (outcome === "turned-away") return { kind: "turned-away" };
    if (outcome === "hedged")
      return { kind: "hedged", reason: `no connection was free for ${String(policy.hedgeAfterMs)} ms` };
    hasCounted = countsAsSent(outcome);
    const endedAt = new Date(parts.clock()).toISOString();
    const made = attemptRecord(outcome, { number, provider: upstream.name, startedAt, endedAt });
    return { kind: "made", outcome, record: withAttempt(record, made) };
  } finally {
    slot.end(hasCounted);
  }
}

/** Whether the provider may count it as a message: once it was named to it, whatever came of that. */
function countsAsSent(outcome: Outcome): boolean {
  if (outcome.kind === "relayed" || outcome.kind === "uncertain") return true;
  return isNamed(outcome.failure.stage);
}

function isNamed(stage: Stage): boolean {
  return contentHasBegun(stage) || stage === "mail" || stage === "rcpt" || stage === "data";
}
