import type { ProviderContext } from "../../src/core/index.ts";
import { endpointsOf } from "./clouds.ts";
import { rotatingTokenRequest } from "./credential-rotation.ts";
import { credentialSources } from "./credentials.ts";
import type { CredentialSource } from "./credentials.ts";
import type { Settings } from "./settings.ts";
import { SharedToken } from "./shared-token.ts";
import { entraTokenRequest } from "./token-request.ts";
import type { TokenRequest } from "./token-request.ts";
import { TokenSource } from "./token-source.ts";

/** Longer than a request for a token takes, and no longer than mail may wait for one whose asker died. */
const leaseMs = (tokenMs: number): number => Math.min(tokenMs + 1000, 30_000);

/** The token of the app in the settings, for their scope: its credentials, and what its fleet shares, put together. */
export function appToken(settings: Settings, ca: string | null, context: ProviderContext): TokenSource {
  const { clock, notice, cache } = context;
  const { authority, scope } = endpointsOf(settings);
  const { tenantId, clientId, timeouts, sharedTokenKey = null } = settings;
  const sources = credentialSources(settings);
  const shared =
    cache === undefined
      ? null
      : new SharedToken({
          cache,
          identity: { authority, tenantId, clientId, scope },
          sources,
          sharedTokenKey,
          leaseMs: leaseMs(timeouts.tokenMs),
          clock,
          notice,
        });
  const request = requestWith(sources, (source) => entraTokenRequest(settings, source, ca, clock), context);
  return new TokenSource({ request, shared, clock, random: Math.random, notice });
}

function requestWith(
  [first, next]: readonly [CredentialSource, ...CredentialSource[]],
  requestOf: (source: CredentialSource) => TokenRequest,
  context: ProviderContext,
): TokenRequest {
  if (next === undefined) return requestOf(first);
  const candidate = (source: CredentialSource) => ({ field: source.field, request: requestOf(source) });
  return rotatingTokenRequest(candidate(first), candidate(next), context);
}
