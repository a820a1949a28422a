/** Whose fault a failure is, and so who else it affects. */
export type Scope = "provider" | "sender" | "message" | "recipient";

/**
 * What a failure means. The table says, for each cause, what Mailover does about it; rows of a provider's rules name a
 * cause and may narrow its scope.
 */
export type CauseRow = {
  /** What the outcome of an attempt with this cause is called. */
  readonly kind: "deferred" | "rejected" | "uncertain";
  readonly scope: Scope;
  /** What the provider's breaker sees. `none`: nothing at all. `trip`: opens at once. */
  readonly breaker: "failure" | "success" | "none" | "trip";
  /** Whether the gate is shut for a time without its breaker having a part in it. */
  readonly pauses: boolean;
  /** Whether the operator is told, with the remedy. */
  readonly alerts: boolean;
  /** One sentence for people: the meaning. */
  readonly meaning: string;
  /** One sentence for people: what Mailover does. */
  readonly action: string;
};

export const CAUSES = {
  outage: {
    kind: "deferred",
    scope: "provider",
    breaker: "failure",
    pauses: false,
    alerts: false,
    meaning: "the provider cannot be reached or does not work",
    action: "the next provider takes the message; enough of these open the breaker",
  },
  busy: {
    kind: "deferred",
    scope: "provider",
    breaker: "failure",
    pauses: false,
    alerts: false,
    meaning: "the provider, or the recipient's server, asks to try again later",
    action: "the next provider takes the message; the last one is tried again later",
  },
  throttled: {
    kind: "deferred",
    scope: "provider",
    breaker: "none",
    pauses: true,
    alerts: false,
    meaning: "a rate or connection limit was reached",
    action: "the provider is paused; by its class the message waits for it or goes to the next provider",
  },
  quota: {
    kind: "deferred",
    scope: "provider",
    breaker: "none",
    pauses: true,
    alerts: true,
    meaning: "the daily or plan quota is used up",
    action: "the provider is paused until the quota is renewed; the next provider takes the message",
  },
  auth: {
    kind: "rejected",
    scope: "provider",
    breaker: "trip",
    pauses: false,
    alerts: true,
    meaning: "credentials, consent, licence or a switch at the provider keep us out",
    action: "the breaker opens at once and the next provider takes the message; it never bounces for this",
  },
  sender: {
    kind: "rejected",
    scope: "sender",
    breaker: "none",
    pauses: false,
    alerts: false,
    meaning: "this provider will not send as this From address",
    action: "the next provider takes the message; this From is not tried here again for a while",
  },
  reputation: {
    kind: "rejected",
    scope: "provider",
    breaker: "failure",
    pauses: false,
    alerts: true,
    meaning: "the account or the address of the server is blocked as a source of spam",
    action: "the next provider takes the message; enough of these open the breaker",
  },
  recipient: {
    kind: "rejected",
    scope: "recipient",
    breaker: "success",
    pauses: false,
    alerts: false,
    meaning: "the recipient does not exist or does not take this mail",
    action: "this recipient bounces; no other provider is tried",
  },
  size: {
    kind: "rejected",
    scope: "message",
    breaker: "none",
    pauses: false,
    alerts: false,
    meaning: "the message is too large for this provider",
    action: "a provider with more room takes it; without one it bounces",
  },
  content: {
    kind: "rejected",
    scope: "message",
    breaker: "none",
    pauses: false,
    alerts: false,
    meaning: "the message is malformed or its content is refused",
    action: "the message bounces; it goes to another provider only where the rule says so",
  },
  uncertain: {
    kind: "uncertain",
    scope: "provider",
    breaker: "failure",
    pauses: false,
    alerts: false,
    meaning: "the connection broke after the content went out: it may have been accepted",
    action: "as the message's onUncertain says: resend, retry at the same provider, or hold",
  },
} as const satisfies Record<string, CauseRow>;

export type Cause = keyof typeof CAUSES;
