import type { MessageClass, Submission, ThrottlePolicy, UncertainPolicy } from "../core/index.ts";

/** What a class of messages gets unless the message says otherwise. */
export type ClassSettings = {
  /** Age at which a message that is not relayed ends as expired. */
  readonly giveUpAfterMs: number;
  readonly onUncertain: UncertainPolicy | "verify";
  /** What `verify` comes to when the provider cannot say whether it accepted the message. */
  readonly afterVerify: UncertainPolicy;
  readonly whenThrottled: ThrottlePolicy;
  /** An attempt still short of its content after this time is given up for the next provider; null: never. */
  readonly hedgeAfterMs: number | null;
};

/** How one message is treated: its class's settings with its own choices over them. */
export type Policy = {
  /** Whether a provider that can tell is asked first what became of an uncertain message. */
  readonly verify: boolean;
  /** What is done where it is not asked, or cannot tell. */
  readonly onUncertain: UncertainPolicy;
  readonly whenThrottled: ThrottlePolicy;
  readonly hedgeAfterMs: number | null;
  /** Never sent after this instant. */
  readonly giveUpAt: number;
  /** Not before this instant; 0 where it may go at once. */
  readonly notBeforeAt: number;
};

/** `since` is when the message was first due, or tried again by hand: its age counts from then. */
export function policyFor(
  submission: Submission,
  classes: Readonly<Record<MessageClass, ClassSettings>>,
  since: number,
): Policy {
  const settings = classes[submission.class];
  const wanted = submission.onUncertain ?? settings.onUncertain;
  const notBeforeAt = submission.sendAt?.getTime() ?? 0;
  const byAge = Math.max(since, notBeforeAt) + settings.giveUpAfterMs;
  return {
    verify: wanted === "verify",
    onUncertain: wanted === "verify" ? settings.afterVerify : wanted,
    whenThrottled: submission.whenThrottled ?? settings.whenThrottled,
    hedgeAfterMs: settings.hedgeAfterMs,
    giveUpAt: Math.min(byAge, submission.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY),
    notBeforeAt,
  };
}
