import { randomUUID } from "node:crypto";
import type { HttpResponse } from "./http-message.ts";

type Row = {
  readonly status: number;
  /** The OAuth error code. */
  readonly error: string;
  /** `{app}`, `{tenant}`, `{scope}` and `{detail}` are filled in. */
  readonly text: string;
  readonly suberror?: string;
  readonly retryAfterS?: number;
};

/**
 * Errors of Entra ID by their AADSTS number; reference-error-codes on learn.microsoft.com, and answers seen in public
 * threads. A number that is not here is answered like a rejected client.
 */
const ERRORS: Readonly<Record<number, Row>> = {
  50033: { status: 503, error: "temporarily_unavailable", text: "A transient error has occurred. Please try again." },
  50034: {
    status: 400,
    error: "invalid_grant",
    text: "The user account {detail} does not exist in the {tenant} directory. To sign into this application, the account must be added to the directory.",
  },
  50194: {
    status: 400,
    error: "invalid_request",
    text: "Application '{app}' is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant.",
  },
  50196: {
    status: 400,
    error: "invalid_grant",
    text: "The server terminated an operation because it encountered a client request loop. Please contact your app vendor.",
  },
  53003: {
    status: 400,
    error: "access_denied",
    text: "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
  },
  65001: {
    status: 400,
    error: "invalid_grant",
    text: "The user or administrator has not consented to use the application with ID '{app}'. Send an interactive authorization request for this user and resource.",
    suberror: "consent_required",
  },
  70003: {
    status: 400,
    error: "unsupported_grant_type",
    text: "The app requested an unsupported grant type '{detail}'.",
  },
  70011: {
    status: 400,
    error: "invalid_scope",
    text: "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid.",
  },
  90002: {
    status: 400,
    error: "invalid_request",
    text: "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.",
  },
  90033: { status: 503, error: "temporarily_unavailable", text: "A transient error has occurred. Please try again." },
  90055: {
    status: 429,
    error: "temporarily_unavailable",
    text: "Server is busy. There are too many requests for the tenant.",
    retryAfterS: 60,
  },
  500011: {
    status: 400,
    error: "invalid_resource",
    text: "The resource principal named {scope} was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.",
  },
  700016: {
    status: 400,
    error: "unauthorized_client",
    text: "Application with identifier '{app}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
  },
  700021: {
    status: 401,
    error: "invalid_client",
    text: "Client assertion application identifier doesn't match 'client_id' parameter.",
  },
  700024: {
    status: 401,
    error: "invalid_client",
    text: "Client assertion is not within its valid time range. {detail}",
  },
  700027: {
    status: 401,
    error: "invalid_client",
    text: "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - {detail}, Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '{app}'.]",
  },
  700213: {
    status: 401,
    error: "invalid_client",
    text: "No matching federated identity record found for presented assertion subject '{detail}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.",
  },
  900144: {
    status: 400,
    error: "invalid_request",
    text: "The request body must contain the following parameter: '{detail}'.",
  },
  1002012: {
    status: 400,
    error: "invalid_scope",
    text: "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).",
  },
  7000112: { status: 400, error: "unauthorized_client", text: "Application '{app}' is disabled." },
  7000215: {
    status: 401,
    error: "invalid_client",
    text: "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{app}'.",
  },
  7000216: {
    status: 401,
    error: "invalid_client",
    text: "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
  },
  7000222: {
    status: 401,
    error: "invalid_client",
    text: "The provided client secret keys for app '{app}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.",
  },
  7000229: {
    status: 400,
    error: "unauthorized_client",
    text: "The client application {app} is missing service principal in the tenant {tenant}.",
  },
};

const UNLISTED: Row = { status: 400, error: "invalid_client", text: "The request was refused." };

export type AadstsDetails = {
  readonly app: string;
  readonly tenant: string;
  readonly scope: string;
  readonly detail: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Base address of the stand-in. */
  readonly url: string;
};

/** The answer of the token endpoint for an AADSTS number, as Entra ID words it. */
export function aadstsResponse(aadsts: number, details: AadstsDetails): HttpResponse {
  const row = ERRORS[aadsts] ?? UNLISTED;
  const text = row.text.replaceAll(/\{(app|tenant|scope|detail)\}/g, (_match, name: "app") => details[name]);
  const traceId = randomUUID();
  const correlationId = randomUUID();
  const timestamp = `${new Date(details.now).toISOString().slice(0, 19).replace("T", " ")}Z`;
  return {
    status: row.status,
    headers: {
      "cache-control": "no-store, no-cache",
      "x-ms-request-id": traceId,
      ...(row.retryAfterS === undefined ? {} : { "retry-after": String(row.retryAfterS) }),
    },
    body: {
      error: row.error,
      error_description: `AADSTS${aadsts}: ${text} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
      error_codes: [aadsts],
      timestamp,
      trace_id: traceId,
      correlation_id: correlationId,
      error_uri: `${details.url}/error?code=${aadsts}`,
      ...(row.suberror === undefined ? {} : { suberror: row.suberror }),
    },
  };
}
