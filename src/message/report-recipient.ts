import type { AttemptRecord, DeliveryRecord, EnhancedStatus, RecipientRecord } from "../core/index.ts";
import { parseReply } from "../core/index.ts";

/** A recipient that the message never reached, as far as is known. */
export type FailedRecipient = {
  readonly address: string;
  /** Class 4 or 5 (RFC 3464 2.3.4). */
  readonly status: string;
  /** The provider that refused it, or null where it was given up. */
  readonly provider: string | null;
  /** Why, in the record's words: the reply where a provider refused it. */
  readonly reason: string;
  /** The latest reply word for word, or `reason` where there was none. */
  readonly diagnostic: string;
  /** Whether `diagnostic` is a reply of SMTP. */
  readonly isSmtp: boolean;
  readonly lastAttemptAt: Date | null;
  /** Whether an answer was lost, so that it may have arrived all the same. */
  readonly mayHaveArrived: boolean;
};

// RFC 3463 3.5: delivery time expired, and unable to route.
const expired: EnhancedStatus = "4.4.7";
const unroutable: EnhancedStatus = "5.4.4";

/** The recipients to report of a message that ended; none where it is not over, was cancelled, or reached them all. */
export function failedRecipients(record: DeliveryRecord): FailedRecipient[] {
  const isOver = record.status === "relayed" || record.status === "bounced" || record.status === "expired";
  if (!isOver) return [];
  return record.recipients
    .filter(({ status }) => status === "refused")
    .map((recipient) => (recipient.provider === null ? givenUp(recipient, record) : refused(recipient, record)));
}

function refused({ address, provider, reason }: RecipientRecord, record: DeliveryRecord): FailedRecipient {
  const attempts = record.attempts.filter((attempt) => attempt.provider === provider);
  const own = attempts.findLast(({ reply }) => reply === reason);
  const diagnostic = reason ?? "";
  return {
    address,
    provider,
    reason: diagnostic,
    diagnostic,
    ...judged(diagnostic, own?.status ?? null),
    lastAttemptAt: endOf(own ?? attempts.at(-1)),
    mayHaveArrived: false,
  };
}

/** Nobody refused this recipient: time ran out, or no provider was left that could take the message. */
function givenUp({ address, reason }: RecipientRecord, record: DeliveryRecord): FailedRecipient {
  const last = record.attempts.at(-1);
  const failed = last?.outcome === "relayed" ? undefined : last;
  const isTheMessage = failed?.cause === "size" || failed?.cause === "content";
  const diagnostic = failed?.reply ?? reason ?? "";
  return {
    address,
    provider: null,
    reason: reason ?? "",
    diagnostic,
    isSmtp: parseReply(diagnostic) !== null,
    // The last reply may be about our own account, such as a key that was revoked: its status is not this recipient's.
    status: isTheMessage
      ? judged(diagnostic, failed.status).status
      : record.status === "bounced"
        ? unroutable
        : expired,
    lastAttemptAt: endOf(last),
    mayHaveArrived: record.attempts.some(({ outcome }) => outcome === "uncertain"),
  };
}

function judged(text: string, known: string | null): Pick<FailedRecipient, "status" | "isSmtp"> {
  const reply = parseReply(text);
  const status = [reply?.status, known].find((candidate) => /^[45]\./.test(candidate ?? ""));
  const general = reply !== null && reply.code >= 400 ? `${Math.floor(reply.code / 100)}.0.0` : "5.0.0";
  return { status: status ?? general, isSmtp: reply !== null };
}

function endOf(attempt: AttemptRecord | undefined): Date | null {
  return attempt === undefined ? null : new Date(attempt.endedAt);
}
