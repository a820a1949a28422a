import type { DeliveryRecord, Lookup } from "../core/index.ts";
import type { DeliveryParts, Task } from "./round.ts";
import { pendingRecipients } from "./record.ts";

/** Times that a provider is asked, one a round, before the policy's second step: some ten minutes by the table of delays. */
const LOOKUPS_AT_MOST = 4;

const LOOKUP_LIMIT_MS = 15_000;

/** Asks the provider that may have accepted the message; null where that is not to be asked, or no more. */
export async function inquire(task: Task, record: DeliveryRecord, parts: DeliveryParts): Promise<Lookup | null> {
  const provider = parts.upstreams.find(({ name }) => name === record.uncertainAt)?.gate.provider;
  if (provider?.lookup === undefined || record.lookupCount >= LOOKUPS_AT_MOST) return null;
  // The first that is not settled: a copy that any of them left is this message's.
  const attempted = record.attempts.find(
    ({ outcome, provider: name }) => outcome === "uncertain" && name === record.uncertainAt,
  );
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

/** What a provider's answer about an uncertain message makes of its record. */
export function informed(record: DeliveryRecord, answer: Lookup): DeliveryRecord {
  const provider = record.uncertainAt;
  switch (answer.kind) {
    case "accepted":
      return {
        ...record,
        provider,
        remoteId: answer.remoteId,
        recipients: record.recipients.map((recipient) =>
          recipient.status === "pending" ? { ...recipient, status: "relayed", provider, reason: null } : recipient,
        ),
        reason: null,
        uncertainAt: null,
        unsettled: false,
      };
    case "absent":
      return {
        ...record,
        reason: `${provider ?? ""} does not have it: ${answer.evidence}`,
        uncertainAt: null,
        unsettled: false,
      };
    case "unknown":
      return {
        ...record,
        reason: `${provider ?? ""} cannot tell yet: ${answer.reason}`,
        lookupCount: record.lookupCount + 1,
      };
  }
}
