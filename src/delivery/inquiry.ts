import type { DeliveryRecord, Lookup } from "../core/index.ts";
import type { DeliveryParts, Task } from "./round.ts";
import { pendingRecipients } from "./record.ts";

/** Times that a provider is asked, one a round, before the policy's second step: some ten minutes by the table of delays. */
export const LOOKUPS_AT_MOST = 4;

const LOOKUP_LIMIT_MS = 15_000;

/** Asks the provider that may have accepted the message; null where that is not to be asked, or no more. */
export async function inquire(task: Task, record: DeliveryRecord, parts: DeliveryParts): Promise<Lookup | null> {
  const provider = parts.upstreams.find(({ name }) => name === record.uncertainAt)?.gate.provider;
  // Someone who lets a held message go on has decided.
  if (provider?.lookup === undefined || record.status === "held" || record.lookupCount >= LOOKUPS_AT_MOST) return null;
  const attempted = record.attempts.findLast(({ outcome }) => outcome === "uncertain");
  const attemptedAt = attempted === undefined ? task.dueAt : Date.parse(attempted.startedAt);
  const signal = AbortSignal.timeout(LOOKUP_LIMIT_MS);
  try {
    return await provider.lookup(task.message, pendingRecipients(record), attemptedAt, { signal });
  } catch (error) {
    return {
      kind: "unknown",
      reason: `defect in the provider: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}
