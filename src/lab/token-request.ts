import { checkAssertion } from "./client-assertion.ts";
import { GRAPH_RESOURCE, SMTP_RESOURCE } from "./defaults.ts";
import type { EntraApp, EntraRules } from "./entra-rules.ts";

const RESOURCES: ReadonlySet<string> = new Set([SMTP_RESOURCE, GRAPH_RESOURCE]);
const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/** Scopes that MSAL and others add of their own accord. */
const OIDC_SCOPES = new Set(["openid", "profile", "offline_access"]);

/** What a token request comes to: a token to make, or the AADSTS number that refuses it. */
export type TokenVerdict =
  | { readonly app: EntraApp; readonly audience: string }
  | { readonly aadsts: number; readonly detail?: string; readonly app?: string; readonly scope?: string };

/** Judges a token request as Entra ID does: its form, the app, the scope, then the credential. `url`: base address. */
export function judgeTokenRequest(form: URLSearchParams, rules: EntraRules, url: string, now: number): TokenVerdict {
  const missing = ["grant_type", "client_id", "scope"].find((name) => !form.get(name));
  if (missing !== undefined) return { aadsts: 900144, detail: missing };
  const [grantType, clientId, scope] = ["grant_type", "client_id", "scope"].map((name) => form.get(name) ?? "") as [
    string,
    string,
    string,
  ];
  if (grantType !== "client_credentials") return { aadsts: 70003, detail: grantType };
  const app = rules.apps.find((registered) => registered.clientId === clientId);
  if (app === undefined) return { aadsts: 700016, app: clientId };
  if (app.disabled === true) return { aadsts: 7000112, app: clientId };
  const resources = scope.split(" ").filter((word) => !OIDC_SCOPES.has(word));
  const audience = /^(.+)\/\.default$/.exec(resources[0] ?? "")?.[1];
  if (resources.length !== 1 || audience === undefined) return { aadsts: 1002012, app: clientId, scope };
  if (!RESOURCES.has(audience)) return { aadsts: 500011, app: clientId, scope: audience };
  const refusal = refuseCredential(form, app, rules, url, now);
  return refusal === null ? { app, audience } : { ...refusal, app: clientId };
}

function refuseCredential(
  form: URLSearchParams,
  app: EntraApp,
  rules: EntraRules,
  url: string,
  now: number,
): { readonly aadsts: number; readonly detail?: string } | null {
  const assertion = form.get("client_assertion");
  if (assertion !== null && form.get("client_assertion_type") === ASSERTION_TYPE) {
    const audiences = [rules.tenantId, rules.tenantDomain].flatMap((tenant) => [
      `${url}/${tenant}/oauth2/v2.0/token`,
      `${url}/${tenant}/v2.0`,
    ]);
    const keys = { certificates: app.certificates ?? [], federated: app.federated ?? [] };
    return checkAssertion(assertion, app.clientId, keys, audiences, now);
  }
  const secret = form.get("client_secret");
  if (secret === null) return { aadsts: 7000216 };
  const known = app.secrets?.find(({ value }) => value === secret);
  if (known === undefined) return { aadsts: 7000215 };
  return (known.expiresAt ?? Infinity) <= now ? { aadsts: 7000222 } : null;
}
