import type { Evidence } from "../../src/core/index.ts";
import type { JsonExchange } from "./network-client.ts";

/** Long enough for Entra's descriptions with their trace and correlation ids. */
const maxTextLength = 1000;

/** The error body of a token endpoint (RFC 6749 5.2, and Entra's own `error_codes`); what is absent is undefined. */
type ErrorBody = { error?: unknown; error_description?: unknown; error_codes?: unknown };

/**
 * What a failed request for a token left to judge by: the answer itself where there was one, else the system's error,
 * else (nothing was sent) MSAL's own. `secrets` never get into the text.
 */
export function tokenEvidence(
  exchange: JsonExchange | null,
  error: unknown,
  secrets: readonly string[],
  now: number,
): Evidence {
  const clean = (text: string) => redact(text, secrets).replace(/\s+/g, " ").trim().slice(0, maxTextLength);
  if (exchange === null) {
    const { errorCode, message } = error as { errorCode?: string; message: string };
    return { stage: "token", text: clean(message), ...(errorCode === undefined ? {} : { errorCode }) };
  }
  if (exchange.kind === "failed") {
    const { host, text, errorCode } = exchange;
    return { stage: "token", text: clean(`request for a token to ${host}: ${text}`), errorCode };
  }
  const { host, httpStatus, headers } = exchange;
  const body: ErrorBody = exchange.json ?? {};
  // MSAL's word where the answer is not one of a token endpoint; a proxy's page, most often.
  const errorCode = typeof body.error === "string" ? body.error : "token_parsing_error";
  const description = typeof body.error_description === "string" ? body.error_description : undefined;
  const aadsts = aadstsOf(body, description);
  const retryAfterMs = parseRetryAfter(headers["retry-after"], now);
  return {
    stage: "token",
    text: clean(description ?? `${host} answered HTTP ${httpStatus}, ${errorCode}`),
    httpStatus,
    errorCode,
    ...(aadsts === undefined ? {} : { aadsts }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function aadstsOf(body: ErrorBody, description: string | undefined): number | undefined {
  const first: unknown = Array.isArray(body.error_codes) ? body.error_codes[0] : undefined;
  const text = first === undefined ? /AADSTS(\d+)/.exec(description ?? "")?.[1] : String(first);
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Retry-After in seconds or as a date (RFC 9110 10.2.3), in ms from now; undefined where it is neither. */
function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** Hides known secrets, plain and as in a form's body, and whatever looks like a JWT: a proxy may echo a request. */
function redact(text: string, secrets: readonly string[]): string {
  const hidden = "‹hidden›";
  const forms = secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]);
  return forms
    .reduce((clean, form) => clean.replaceAll(form, hidden), text)
    .replace(/eyJ[\w-]+\.[\w-]+\.[\w-]*/g, hidden);
}
