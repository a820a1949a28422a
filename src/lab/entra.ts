import type { Clock } from "../core/index.ts";
import { aadstsResponse } from "./aadsts.ts";
import { createAuthority } from "./certificate.ts";
import type { CertificateAuthority } from "./certificate.ts";
import { LAB_ACCOUNT, SMTP_RESOURCE } from "./defaults.ts";
import { DEFAULT_ENTRA_RULES } from "./entra-rules.ts";
import type { EntraRules } from "./entra-rules.ts";
import type { EntraFault } from "./fault.ts";
import type { HttpRequest, HttpResponse } from "./http-message.ts";
import { startHttpServer } from "./http-server.ts";
import type { LabServer } from "./lab-server.ts";
import { judgeTokenRequest } from "./token-request.ts";
import { TokenStore } from "./token-store.ts";
import type { TokenClaims } from "./token-store.ts";

export type EntraOptions = {
  readonly host?: string;
  readonly port?: number;
  /** Signs the server's certificate; made anew where it is missing. */
  readonly authority?: CertificateAuthority;
  readonly rules?: Partial<EntraRules>;
  readonly clock?: Clock;
  readonly seed?: number;
};

export interface EntraServer extends LabServer<EntraFault> {
  /** Base address, `https://localhost:…`. */
  readonly url: string;
  readonly rules: EntraRules;
  /** Changes rules while it runs. Tokens that are out stay good. */
  setRules(rules: Partial<EntraRules>): void;
  /** Token requests that reached it, those that a fault had included, since the start or the last `clear`. */
  tokenRequestCount(): number;
  /** What a token stands for, or null where it is none of ours or has expired. */
  checkToken(token: string): TokenClaims | null;
  /** Makes every token that is out worthless. */
  revokeTokens(): void;
}

type RefusalDetails = { readonly [name in "app" | "tenant" | "scope" | "detail"]?: string };

const ENDPOINT = /^\/([^/]+)\/((?:v2\.0\/)?\.well-known\/openid-configuration|oauth2\/v2\.0\/token)$/;

/** A stand-in for the token endpoint of Entra ID and what a client looks up before it; client credentials only. */
export async function startEntra(options: EntraOptions = {}): Promise<EntraServer> {
  const clock = options.clock ?? Date.now;
  const tokens = new TokenStore(clock);
  const rules = { ...DEFAULT_ENTRA_RULES, ...options.rules };
  let requestCount = 0;

  const standIn = await startHttpServer<EntraFault>({
    name: "entra",
    host: options.host ?? "127.0.0.1",
    port: options.port ?? 0,
    clock,
    seed: options.seed ?? 1,
    onClear: () => {
      requestCount = 0;
    },
    authority: options.authority ?? (await createAuthority()),
    maxBodyBytes: 1_048_576,
    onRequest: ({ path }) => {
      if (path.endsWith("/token")) requestCount += 1;
    },
    answer: (request: HttpRequest): HttpResponse => answer(request),
    aadsts: (aadsts: number): HttpResponse => refuse(aadsts),
  });
  const url = `https://localhost:${standIn.port}`;

  const refuse = (aadsts: number, details: RefusalDetails = {}): HttpResponse =>
    aadstsResponse(aadsts, {
      app: rules.apps[0]?.clientId ?? "",
      tenant: rules.tenantId,
      scope: LAB_ACCOUNT.scope,
      detail: "",
      ...details,
      now: clock(),
      url,
    });

  const answer = (request: HttpRequest): HttpResponse => {
    if (request.path === "/common/discovery/instance") return instanceDiscovery(url, rules.tenantId);
    const [, tenant, endpoint] = ENDPOINT.exec(request.path) ?? [];
    if (tenant === undefined || endpoint === undefined) return { status: 404 };
    if (tenant !== rules.tenantId && tenant !== rules.tenantDomain) return refuse(90002, { tenant });
    if (!endpoint.endsWith("/token")) return openIdConfiguration(url, tenant, rules.tenantId);
    const verdict = judgeTokenRequest(new URLSearchParams(request.body.toString("utf8")), rules, url, clock());
    if ("aadsts" in verdict) return refuse(verdict.aadsts, verdict);
    const claims = {
      clientId: verdict.app.clientId,
      tenantId: rules.tenantId,
      audience: verdict.audience,
      // Rights at Graph come by RBAC for applications, which tokens do not tell.
      roles: verdict.audience === SMTP_RESOURCE ? (verdict.app.roles ?? ["SMTP.SendAsApp"]) : [],
      expiresAt: clock() + rules.tokenLifetimeS * 1_000,
    };
    return {
      status: 200,
      headers: { "cache-control": "no-store, no-cache" },
      body: {
        token_type: "Bearer",
        expires_in: rules.tokenLifetimeS,
        ext_expires_in: rules.tokenLifetimeS,
        access_token: tokens.issue(claims, `https://sts.windows.net/${rules.tenantId}/`),
      },
    };
  };

  return Object.assign(standIn, {
    url,
    rules,
    setRules: (changes: Partial<EntraRules>) => void Object.assign(rules, changes),
    tokenRequestCount: () => requestCount,
    checkToken: (token: string) => tokens.check(token),
    revokeTokens: () => tokens.revokeAll(),
  });
}

function openIdConfiguration(url: string, tenant: string, tenantId: string): HttpResponse {
  const base = `${url}/${tenant}`;
  return {
    status: 200,
    body: {
      token_endpoint: `${base}/oauth2/v2.0/token`,
      token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
      jwks_uri: `${base}/discovery/v2.0/keys`,
      response_modes_supported: ["query", "fragment", "form_post"],
      subject_types_supported: ["pairwise"],
      id_token_signing_alg_values_supported: ["RS256"],
      response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
      scopes_supported: ["openid", "profile", "email", "offline_access"],
      issuer: `${url}/${tenantId}/v2.0`,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      end_session_endpoint: `${base}/oauth2/v2.0/logout`,
      cloud_instance_name: new URL(url).host,
    },
  };
}

function instanceDiscovery(url: string, tenantId: string): HttpResponse {
  const { host } = new URL(url);
  return {
    status: 200,
    body: {
      tenant_discovery_endpoint: `${url}/${tenantId}/v2.0/.well-known/openid-configuration`,
      "api-version": "1.1",
      metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
    },
  };
}
