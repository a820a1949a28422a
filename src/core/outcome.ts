import type { Cause, Scope } from "./cause.ts";
import type { Stage } from "./stage.ts";
import type { EnhancedStatus } from "./status.ts";

/** Why an attempt, or one recipient of it, did not end well. Holds no secret and no content. */
export type Failure = {
  readonly cause: Cause;
  readonly scope: Scope;
  readonly status: EnhancedStatus;
  /** The provider's reply word for word, or the error in one sentence where there was no reply. */
  readonly reason: string;
  readonly stage: Stage;
  /** Id of the rule that classified it, or null: no rule knew it. */
  readonly rule: string | null;
  /** How long the provider, or its rule, asks to be left alone. */
  readonly retryAfterMs?: number;
  /** What the operator can do about it: a sentence with the exact command or page. */
  readonly remedy?: string;
  /** Whether a message-scope failure is worth another provider, since it may be this one's alone. */
  readonly elsewhere?: boolean;
};

/** A recipient that the provider refused. */
export type Refusal = { readonly recipient: string; readonly failure: Failure };

/** What one attempt with one provider came to. Recipients in `refused` have their own failure, the rest share the outcome. */
export type Outcome =
  | {
      readonly kind: "relayed";
      /** The provider's own id of the message, where it gives one. */
      readonly remoteId: string | null;
      /** The reply word for word. */
      readonly reply: string;
      readonly refused: readonly Refusal[];
      /** With this message its rate is used up, as it says itself: how long it takes nothing more, in milliseconds. */
      readonly restMs?: number;
    }
  | { readonly kind: "deferred"; readonly failure: Failure; readonly refused: readonly Refusal[] }
  | { readonly kind: "rejected"; readonly failure: Failure; readonly refused: readonly Refusal[] }
  | { readonly kind: "uncertain"; readonly failure: Failure; readonly refused: readonly Refusal[] };
