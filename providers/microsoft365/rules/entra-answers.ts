import type { Rule } from "../../../src/core/index.ts";

const codes = "Learn, Microsoft Entra authentication and authorization error codes (read 2026-11-24)";
const msal = "msal-node 7.2 and msal-common 16, error codes";
const secretsPage = "Entra admin centre > App registrations > {app} > Certificates & secrets";
const permissionsPage = "Entra admin centre > App registrations > {app} > API permissions";

/** Trouble of Entra ID's own, and answers whose number is new or missing: by OAuth's error, HTTP status or MSAL's code. */
export const entraAnswerRules: readonly Rule[] = [
  // Trouble of Entra's own, and limits
  {
    id: "entra-transient",
    when: { aadsts: [90033, 90006, 90012, 90024, 90090, 90091, 50033, 50000, 90020, 90019] },
    cause: "outage",
    meaning: "Entra ID has trouble of its own",
    source: `${codes}: AADSTS90033, AADSTS90006, AADSTS90012, AADSTS90024, AADSTS50033, AADSTS50000`,
  },
  {
    id: "entra-request-loop",
    when: { aadsts: 50196 },
    cause: "throttled",
    retryAfterMs: 300_000,
    meaning: "Entra saw the same request too often in a short time; a second client may use the same app",
    source: `${codes}: AADSTS50196`,
  },
  {
    id: "entra-throttled",
    when: { aadsts: [90055, 50088] },
    cause: "throttled",
    retryAfterMs: 60_000,
    meaning: "Entra ID limits requests of this app or tenant",
    source: `${codes}: AADSTS90055, AADSTS50088`,
  },
  {
    id: "entra-too-many-requests",
    when: { stage: "token", httpStatus: 429 },
    cause: "throttled",
    retryAfterMs: 60_000,
    meaning: "Entra ID limits requests of this app or tenant",
    source: "Learn, Microsoft identity platform throttling: 60 seconds without Retry-After (read 2026-11-24)",
  },
  {
    id: "entra-too-many-requests-text",
    when: { stage: "token", text: /too many requests/i },
    cause: "throttled",
    retryAfterMs: 60_000,
    meaning: "Entra ID limits requests, and MSAL could not read its answer as JSON",
    source: `${msal}: token_parsing_error; thread AzureAD/microsoft-authentication-library-for-dotnet#2855`,
  },
  {
    id: "entra-http-error",
    when: { stage: "token", httpStatus: [500, 501, 502, 503, 504, 520, 521, 522, 523, 524, 408] },
    cause: "outage",
    meaning: "Entra ID, or a proxy on the way to it, fails",
    source: "RFC 9110 15.6; Learn, Microsoft Entra error codes: HTTP 503, 504",
  },
  {
    id: "entra-unavailable",
    when: { stage: "token", errorCode: ["temporarily_unavailable", "server_error"] },
    cause: "outage",
    meaning: "Entra ID is overloaded or has trouble of its own",
    source: "RFC 6749 4.1.2.1: temporarily_unavailable, server_error",
  },

  // OAuth's own errors, where the number is new
  {
    id: "entra-consent-or-interaction",
    when: {
      stage: "token",
      errorCode: ["interaction_required", "consent_required", "login_required", "access_denied", "invalid_grant"],
    },
    cause: "auth",
    meaning: "Entra wants a person to consent or sign in, which a server cannot do",
    remedy: `${permissionsPage} > Grant admin consent; Entra admin centre > Monitoring & health > Sign-in logs > Service principal sign-ins gives the reason.`,
    source: `RFC 6749 5.2; ${msal}: InteractionRequiredAuthError`,
  },
  {
    id: "entra-client-refused",
    when: { stage: "token", errorCode: ["invalid_client", "unauthorized_client"] },
    cause: "auth",
    meaning: "Entra refuses the app or its credential",
    remedy: `Compare clientId, tenantId and the credential with ${secretsPage}.`,
    source: "RFC 6749 5.2: invalid_client, unauthorized_client",
  },
  {
    id: "entra-request-refused",
    when: {
      stage: "token",
      errorCode: ["invalid_request", "invalid_scope", "invalid_resource", "unsupported_grant_type", "invalid_tenant"],
    },
    cause: "auth",
    meaning: "Entra refuses the request: scope, tenant or resource is wrong",
    remedy: `Leave authority and scope to cloud, and compare tenantId with Entra admin centre > Identity > Overview; ${permissionsPage} for the scope.`,
    source: "RFC 6749 5.2: invalid_request, invalid_scope",
  },
  {
    id: "entra-http-refused",
    when: { stage: "token", httpStatus: [400, 401, 403, 404, 405] },
    cause: "auth",
    meaning: "the token endpoint refuses the request without saying why; it may not be Entra ID that answers",
    remedy:
      "Set authority to https://login.microsoftonline.com or leave it to cloud; Entra admin centre > App registrations > {app} > Endpoints shows the right one.",
    source: "RFC 9110 15.5",
  },

  // Errors of MSAL's own
  {
    id: "msal-network-error",
    when: { stage: "token", errorCode: ["network_error", "no_network_connectivity"] },
    cause: "outage",
    meaning: "the token endpoint could not be reached",
    source: `${msal}: network_error, whose cause is lost`,
  },
  {
    id: "msal-endpoint-unknown",
    when: { stage: "token", errorCode: ["endpoints_resolution_error", "openid_config_error"] },
    cause: "outage",
    meaning: "the authority's endpoints could not be found: the network, or a wrong authority or tenant",
    remedy:
      "If it never worked, compare authority and tenantId with Entra admin centre > App registrations > {app} > Endpoints.",
    source: `${msal}: endpoints_resolution_error, openid_config_error`,
  },
  {
    id: "msal-answer-unreadable",
    when: { stage: "token", errorCode: ["token_parsing_error", "null_or_empty_token"] },
    cause: "outage",
    meaning: "what answers at the token endpoint is not JSON with a token: often a proxy's page",
    source: `${msal}: token_parsing_error`,
  },
  {
    id: "msal-authority-invalid",
    when: {
      stage: "token",
      errorCode: [
        "url_parse_error",
        "empty_url_error",
        "authority_uri_insecure",
        "untrusted_authority",
        "authority_mismatch",
        "invalid_authority_metadata",
        "issuer_validation_failed",
      ],
    },
    cause: "auth",
    meaning: "the authority in the settings is not an address of Entra ID that MSAL trusts",
    remedy:
      "Leave authority to cloud, or copy it from Entra admin centre > App registrations > {app} > Endpoints; it begins with https.",
    source: `${msal}: ClientConfigurationError`,
  },
  {
    id: "msal-credential-invalid",
    when: {
      stage: "token",
      errorCode: ["invalid_client_credential", "invalid_assertion", "thumbprint_missing_from_client_certificate"],
    },
    cause: "auth",
    meaning: "the credential in the settings cannot be used",
    remedy: `Give exactly one of clientSecret, certificate and federatedTokenFile, taken from ${secretsPage}.`,
    source: `${msal}: invalid_client_credential`,
  },
];
