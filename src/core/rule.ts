import { CAUSES } from "./cause.ts";
import type { Cause, Scope } from "./cause.ts";
import type { Failure } from "./outcome.ts";
import { joinReplyLines } from "./reply.ts";
import { contentMayBeOut } from "./stage.ts";
import type { Stage } from "./stage.ts";
import { statusMatches } from "./status.ts";
import type { EnhancedStatus } from "./status.ts";

/** What a failed attempt left us to judge by. A field is absent where the failure has no such thing. */
export type Evidence = {
  readonly stage: Stage;
  /** The reply word for word (all its lines), or the error's message; redacted. */
  readonly text: string;
  /** Reply code of SMTP, "550" as 550. */
  readonly replyCode?: number;
  readonly status?: EnhancedStatus;
  readonly httpStatus?: number;
  /** The field a JSON error names, such as "from.email". */
  readonly field?: string;
  /** Error number of Entra ID, AADSTS7000222 as 7000222. */
  readonly aadsts?: number;
  /** Error code of Node or of a library: "ECONNREFUSED", "CERT_HAS_EXPIRED", "endpoints_resolution_error". */
  readonly errorCode?: string;
  /** What the reply itself asks for, e.g. by Retry-After. */
  readonly retryAfterMs?: number;
};

/** What must hold for a rule to match: every field given here. Within a list, any one. */
export type Condition = {
  readonly stage?: Stage | readonly Stage[];
  readonly replyCode?: number | readonly number[];
  /** "5.7.30", a range of details "4.7.500-699", or "5.7.*". */
  readonly status?: string | readonly string[];
  readonly httpStatus?: number | readonly number[];
  readonly aadsts?: number | readonly number[];
  readonly errorCode?: string | readonly string[];
  readonly field?: RegExp;
  /**
   * Only where the provider gives one code to different causes, or no code at all. Of an SMTP reply with several lines
   * it sees one: without their ends, and without the codes that all but the first repeat.
   */
  readonly text?: RegExp;
};

/** One row of a provider's table of replies. First match wins. */
export type Rule = {
  /** Stable name, kebab-case, unique within the provider: "smtp-auth-disabled-tenant". */
  readonly id: string;
  readonly when: Condition;
  readonly cause: Cause;
  /** Where it is narrower than the cause's own. */
  readonly scope?: Scope;
  readonly elsewhere?: boolean;
  readonly retryAfterMs?: number;
  /** One sentence for people: what this reply means. */
  readonly meaning: string;
  /** A sentence with the exact command or page. Names no secret. `{mailbox}` etc. are left for people to fill in. */
  readonly remedy?: string;
  /** Page (and the day it was read), RFC and section, or thread. */
  readonly source: string;
};

/** The enhanced status a failure gets where the reply has none. */
const FALLBACK_STATUS: Record<Cause, EnhancedStatus> = {
  outage: "4.4.1",
  busy: "4.3.0",
  throttled: "4.4.5",
  quota: "4.7.0",
  auth: "5.7.8",
  sender: "5.7.1",
  reputation: "5.7.1",
  recipient: "5.1.1",
  size: "5.3.4",
  content: "5.6.0",
  uncertain: "4.4.2",
};

/**
 * Turns evidence into a failure by the first rule that matches. What no rule knows is `busy`, so that a gap never loses
 * mail. Where the content may be out and no reply came, no rule is asked: it is uncertain (RFC 1047).
 */
export function classify(rules: readonly Rule[], evidence: Evidence): Failure {
  const answered = evidence.replyCode !== undefined || evidence.httpStatus !== undefined;
  const isReply = evidence.replyCode !== undefined;
  const readable = isReply ? { ...evidence, text: joinReplyLines(evidence.text) } : evidence;
  const lost = !answered && contentMayBeOut(evidence.stage);
  const rule = lost ? undefined : rules.find(({ when }) => matches(when, readable));
  const cause = lost ? "uncertain" : (rule?.cause ?? "busy");
  const retryAfterMs = evidence.retryAfterMs ?? rule?.retryAfterMs;
  return {
    cause,
    scope: rule?.scope ?? CAUSES[cause].scope,
    status: evidence.status ?? FALLBACK_STATUS[cause],
    reason: evidence.text,
    stage: evidence.stage,
    rule: rule?.id ?? null,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(rule?.remedy === undefined ? {} : { remedy: rule.remedy }),
    ...(rule?.elsewhere === undefined ? {} : { elsewhere: rule.elsewhere }),
  };
}

function matches(when: Condition, evidence: Evidence): boolean {
  return (
    among(when.stage, evidence.stage) &&
    among(when.replyCode, evidence.replyCode) &&
    among(when.httpStatus, evidence.httpStatus) &&
    among(when.aadsts, evidence.aadsts) &&
    among(when.errorCode, evidence.errorCode) &&
    statusAmong(when.status, evidence.status) &&
    (when.field === undefined || when.field.test(evidence.field ?? "")) &&
    (when.text === undefined || when.text.test(evidence.text))
  );
}

function among<T>(wanted: T | readonly T[] | undefined, actual: T | undefined): boolean {
  if (wanted === undefined) return true;
  if (actual === undefined) return false;
  return Array.isArray(wanted) ? (wanted as readonly T[]).includes(actual) : wanted === actual;
}

function statusAmong(wanted: string | readonly string[] | undefined, actual: string | undefined): boolean {
  if (wanted === undefined) return true;
  if (actual === undefined) return false;
  return [wanted].flat().some((pattern) => statusMatches(actual, pattern));
}
