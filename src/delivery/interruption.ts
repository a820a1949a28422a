import type { Failure, Outcome } from "../core/index.ts";
import type { OpenAttempt } from "../ledger/ledger.ts";

/**
 * What an attempt came to whose worker died, or lost the message, before it could say so. The mark in the ledger is
 * written before the last bytes of the content leave: without it nothing was accepted.
 */
export function interruptedOutcome({ contentMayBeOut }: OpenAttempt): Outcome {
  const common = { scope: "provider", rule: null } as const;
  if (contentMayBeOut) {
    const reason = "its worker died, or lost it, before the provider's answer came";
    const failure: Failure = { ...common, cause: "uncertain", status: "4.4.2", reason, stage: "reply" };
    return { kind: "uncertain", failure, refused: [] };
  }
  const reason = "its worker died, or lost it, before the content had gone out";
  const failure: Failure = { ...common, cause: "outage", status: "4.4.1", reason, stage: "content" };
  return { kind: "deferred", failure, refused: [] };
}
