import { STATUS_CODES } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { Clock, Evidence } from "../../src/core/index.ts";
import type { ApiResult } from "./api.ts";

/** One entry of the API's error list. */
export type ApiError = { readonly message: string; readonly field: string | null };

/** What is known of a failed request: the evidence, and the API's own list of errors, empty where there was none. */
export type FailedRequest = { readonly evidence: Evidence; readonly errors: readonly ApiError[] };

export type EvidenceContext = { readonly apiKey: string; readonly clock: Clock };

/** Longest text kept of a reply. */
const MAX_TEXT_LENGTH = 2_000;
const MAX_HTML_TEXT_LENGTH = 200;

/** Of a page, no more is read than this. */
const MAX_HTML_LENGTH = 20_000;

const DAY_MS = 86_400_000;

/**
 * Reads what the library gave or threw. Only the status, the error list, three headers, the error's code and its message
 * are looked at, and the key is struck out of them: the error of axios also holds the request with its Authorization.
 */
export function readFailure(result: ApiResult, { apiKey, clock }: EvidenceContext): FailedRequest {
  const { stage, stop, head } = result.exchange;
  const strike = (text: string): string => text.replaceAll(apiKey, "***").slice(0, MAX_TEXT_LENGTH);
  if (head !== null) {
    const { httpStatus, headers } = head;
    const body = result.ok ? result.body : bodyOf(result.error);
    const errors = errorList(body).map(({ message, field }) => ({ message: strike(message), field }));
    const text = strike(replyText(httpStatus, body, errors));
    const field = errors.find((entry) => entry.field !== null)?.field ?? null;
    const retryAfterMs = waitOf(httpStatus, headers, text, clock());
    return {
      errors,
      evidence: {
        stage,
        httpStatus,
        text,
        ...(field !== null && { field }),
        ...(retryAfterMs !== null && { retryAfterMs }),
      },
    };
  }
  if (stop !== null) return { errors: [], evidence: { stage, ...stop } };
  const error = result.ok ? null : result.error;
  const code = property(error, "code");
  // What is neither an error of axios nor one of Node is a defect of ours.
  if (!(error instanceof Error) || (typeof code !== "string" && property(error, "isAxiosError") !== true)) throw error;
  const text = strike(error.message || String(code));
  return { errors: [], evidence: { stage, text, ...(typeof code === "string" && { errorCode: code }) } };
}

/** The body the library hands over with an error reply, or null. */
function bodyOf(error: unknown): unknown {
  const response = property(error, "response");
  return property(response, "body") ?? property(response, "data") ?? null;
}

function errorList(body: unknown): readonly ApiError[] {
  const list = property(body, "errors");
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown) => {
    const message = property(entry, "message");
    const field = property(entry, "field");
    if (typeof message !== "string") return [];
    // The API writes "null" in places where it means null.
    return [{ message, field: typeof field === "string" && field !== "" && field !== "null" ? field : null }];
  });
}

function replyText(httpStatus: number, body: unknown, errors: readonly ApiError[]): string {
  const detail =
    errors.length > 0 ? errors.map(({ message }) => message).join("; ") : typeof body === "string" ? plain(body) : "";
  return `HTTP ${httpStatus}: ${detail || (STATUS_CODES[httpStatus] ?? "no reason given")}`;
}

/** The title of an HTML page, or its words, in one line. */
function plain(body: string): string {
  const page = body.slice(0, MAX_HTML_LENGTH);
  const title = /<title[^>]*>([^<]+)<\/title>/i.exec(page)?.[1];
  const text = title ?? page.replaceAll(/<(style|script)[\s\S]*?<\/\1>/gi, " ").replaceAll(/<[^>]*>/g, " ");
  return text.replaceAll(/\s+/g, " ").trim().slice(0, MAX_HTML_TEXT_LENGTH);
}

/**
 * How long to wait: credits come back at the next midnight UTC; else by Retry-After (RFC 9110 10.2.3), or where a limit
 * was reached by X-RateLimit-Reset, which is in seconds since 1970 and comes with every answer.
 */
function waitOf(httpStatus: number, headers: IncomingHttpHeaders, text: string, nowMs: number): number | null {
  if (/maximum credits exceeded/i.test(text)) return DAY_MS - (nowMs % DAY_MS);
  const retryAfter = headers["retry-after"]?.trim();
  if (retryAfter !== undefined && /^\d+$/.test(retryAfter)) return Number(retryAfter) * 1_000;
  if (retryAfter !== undefined && !Number.isNaN(Date.parse(retryAfter))) {
    return Math.max(0, Date.parse(retryAfter) - nowMs);
  }
  const reset = headers["x-ratelimit-reset"];
  if (httpStatus !== 429 || typeof reset !== "string" || !/^\d+$/.test(reset)) return null;
  return Math.max(0, Number(reset) * 1_000 - nowMs);
}

/** With this answer the rate is used up: milliseconds until it is renewed, or null. */
export function restOf(headers: IncomingHttpHeaders, nowMs: number): number | null {
  const { "x-ratelimit-remaining": remaining, "x-ratelimit-reset": reset } = headers;
  if (remaining !== "0" || typeof reset !== "string" || !/^\d+$/.test(reset)) return null;
  const restMs = Number(reset) * 1_000 - nowMs;
  return restMs > 0 ? restMs : null;
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
