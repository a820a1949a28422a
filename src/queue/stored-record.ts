import { z } from "zod";
import type { DeliveryRecord } from "../core/index.ts";

const nullableText = z.string().nullable();

/** A record as it comes back from Redis. Loose in what a later version may add, strict in what delivery relies on. */
const StoredRecord = z.looseObject({
  status: z.enum(["relaying", "deferred", "held", "relayed", "bounced", "expired"]),
  id: z.string(),
  messageId: z.string(),
  provider: nullableText,
  remoteId: nullableText,
  recipients: z.array(
    z.looseObject({
      address: z.string(),
      status: z.enum(["pending", "relayed", "refused"]),
      provider: nullableText,
      reason: nullableText,
    }),
  ),
  attempts: z.array(z.looseObject({ number: z.number(), provider: z.string(), outcome: z.string() })),
  attemptCount: z.number(),
  deferralCount: z.number(),
  skipped: z.array(z.looseObject({ provider: z.string(), reason: z.string() })),
  reason: nullableText,
  nextAttemptAt: nullableText,
  possibleDuplicate: z.boolean(),
  uncertainAt: nullableText,
  refusedBy: z.array(z.string()),
  throttledSince: nullableText,
  reopenedAt: z.string().optional(),
  metadata: z.record(z.string(), z.unknown()),
});

const OfMessage = z.looseObject({ id: z.string() });

/**
 * The record kept as a job's progress, or null where there is none of this message: an app may keep a progress of its
 * own there. Throws where there is one that cannot be read, as a later version may have left it: without it, nobody
 * knows who has the message already.
 */
export function readRecord(progress: unknown, id: string): DeliveryRecord | null {
  const claimed = OfMessage.safeParse(progress);
  if (!claimed.success || claimed.data.id !== id) return null;
  const parsed = StoredRecord.safeParse(progress);
  if (!parsed.success) throw new Error(`the record of ${id} cannot be read: is it a later version's?`);
  return parsed.data as unknown as DeliveryRecord;
}
