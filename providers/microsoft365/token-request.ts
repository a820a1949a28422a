import type { KeyObject } from "node:crypto";
import { ConfidentialClientApplication } from "@azure/msal-node";
import type { Clock, Evidence } from "../../src/core/index.ts";
import { endpointsOf } from "./clouds.ts";
import { readCredential } from "./credentials.ts";
import type { CredentialSource } from "./credentials.ts";
import { httpsAgent } from "./https-agent.ts";
import { NetworkClient } from "./network-client.ts";
import type { Settings } from "./settings.ts";
import { tokenEvidence } from "./token-evidence.ts";

/** An access token, and the whole life that it was given. */
export type Token = {
  readonly accessToken: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  readonly lifetimeMs: number;
};

export type TokenReply =
  /** `lasting` is of the credential that Entra ID took, see `CredentialReading`. */
  | ({ readonly ok: true; readonly lasting: KeyObject | null } & Token)
  | { readonly ok: false; readonly evidence: Evidence };

/** One request for a token, not cached. Never throws. */
export type TokenRequest = (signal: AbortSignal) => Promise<TokenReply>;

/**
 * Asks Entra ID by OAuth 2.0 client credentials, with one of the app's credentials. Each request has an MSAL application of its own: MSAL remembers a 429 or
 * 5xx answer for a minute to an hour and then fails without asking, which would outlive the trouble.
 */
export function entraTokenRequest(
  settings: Settings,
  source: CredentialSource,
  ca: string | null,
  clock: Clock,
): TokenRequest {
  const { authority, scope } = endpointsOf(settings);
  const { host } = new URL(authority);
  const agent = httpsAgent(ca);
  const { tokenMs } = settings.timeouts;

  return async (signal) => {
    const reading = await readCredential(source, clock());
    if (!reading.ok) return { ok: false, evidence: { stage: "token", ...reading.problem } };

    const limit = new AbortController();
    const timer = setTimeout(
      () => limit.abort(coded("ETIMEDOUT", `no answer from ${host} within ${tokenMs} ms`)),
      tokenMs,
    );
    const onAbort = () => limit.abort(coded("ABORTED", "the request for a token was abandoned"));
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();

    const networkClient = new NetworkClient(agent, limit.signal);
    try {
      const application = new ConfidentialClientApplication({
        auth: {
          clientId: settings.clientId,
          authority: `${authority}/${settings.tenantId}`,
          knownAuthorities: [host],
          authorityMetadata: JSON.stringify(tenantMetadata(`${authority}/${settings.tenantId}`)),
          ...reading.credential,
        },
        system: { networkClient },
      });
      const result = await application.acquireTokenByClientCredential({ scopes: [scope], skipCache: true });
      if (!result?.accessToken || result.expiresOn === null) throw new Error("the answer holds no access token");
      const expiresAt = result.expiresOn.getTime();
      const lifetimeMs = Math.max(0, expiresAt - clock());
      return { ok: true, accessToken: result.accessToken, expiresAt, lifetimeMs, lasting: reading.lasting };
    } catch (error) {
      return { ok: false, evidence: tokenEvidence(networkClient.latest, error, reading.secrets, clock()) };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  };
}

/** A tenant's endpoints are fixed (Microsoft Learn, "OAuth 2.0 client credentials flow"), so discovery is not asked. */
function tenantMetadata(tenant: string) {
  return {
    issuer: `${tenant}/v2.0`,
    authorization_endpoint: `${tenant}/oauth2/v2.0/authorize`,
    token_endpoint: `${tenant}/oauth2/v2.0/token`,
    jwks_uri: `${tenant}/discovery/v2.0/keys`,
  };
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
