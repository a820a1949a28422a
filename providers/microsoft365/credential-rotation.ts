import { classify } from "../../src/core/index.ts";
import type { Clock, Evidence, Failure, Notice, Rule } from "../../src/core/index.ts";
import { credentialRules } from "./credential-rules.ts";
import { entraRules } from "./entra-rules.ts";
import type { TokenRequest } from "./token-request.ts";

/** A credential by the path of its setting, and the request that is made with it. */
export type Candidate = { readonly field: string; readonly request: TokenRequest };

/** How long the next credential goes first after the first was refused. */
const nextFirstMs = 3_600_000;

const rules: readonly Rule[] = [...credentialRules, ...entraRules];

/** What is wrong with one credential alone, so that another may be taken. All else stands whatever the credential. */
const REFUSALS: ReadonlySet<string> = new Set([
  ...credentialRules.map(({ id }) => id),
  "entra-secret-invalid",
  "entra-secret-expired",
  "entra-certificate-not-registered",
  "entra-assertion-out-of-time",
  "entra-federation-unknown",
  "entra-credential-missing",
  "entra-client-refused",
]);

/**
 * Asks with the first credential, and with the next one where the first is refused; then the next one goes first for an
 * hour. Where both are refused, the first is what is told of: it is the one to mend.
 */
export function rotatingTokenRequest(
  first: Candidate,
  next: Candidate,
  { clock, notice }: { readonly clock: Clock; readonly notice: Notice },
): TokenRequest {
  let nextFirstUntilAt = 0;
  return async (signal) => {
    const [one, other] = clock() < nextFirstUntilAt ? [next, first] : [first, next];
    const reply = await one.request(signal);
    const refusal = reply.ok ? null : refusalOf(reply.evidence);
    if (refusal === null) return reply;
    const second = await other.request(signal);
    if (!second.ok) {
      if (refusalOf(second.evidence) === null) return second;
      return one === first ? reply : second;
    }
    nextFirstUntilAt = other === next ? clock() + nextFirstMs : 0;
    notice("credential.refused", {
      credential: one.field,
      used: other.field,
      rule: refusal.rule ?? "",
      reason: `${one.field} is refused, ${other.field} is used: ${refusal.reason}`,
      remedy: refusal.remedy ?? "",
    });
    return second;
  };
}

function refusalOf(evidence: Evidence): Failure | null {
  const failure = classify(rules, evidence);
  return failure.rule !== null && REFUSALS.has(failure.rule) ? failure : null;
}
