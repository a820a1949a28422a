import { describe, expect, test } from "vitest";
import { apiKey, apiThat, nowMs, providerAt, send } from "./harness.ts";
import { box, messageWith } from "./messages.ts";
import { accepted } from "./scripted-api.ts";
import type { ScriptedAnswer } from "./scripted-api.ts";

const errors = (...list: [message: string, field?: string | null][]): unknown => ({
  errors: list.map(([message, field = null]) => ({ message, field, help: null })),
});
const html = "<html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>";

const replies: readonly [reply: string, answer: ScriptedAnswer, want: Record<string, unknown>][] = [
  [
    "a malformed request",
    { status: 400, body: errors(["Bad Request"], ["The subject is required.", "subject"]) },
    { kind: "rejected", cause: "content", elsewhere: true, reason: "HTTP 400: Bad Request; The subject is required." },
  ],
  [
    "a revoked key",
    { status: 401, body: errors(["The provided authorization grant is invalid, expired, or revoked"]) },
    { kind: "rejected", cause: "auth" },
  ],
  [
    "used-up credits, until midnight UTC",
    { status: 401, body: errors(["Maximum credits exceeded"]) },
    { kind: "deferred", cause: "quota", retryAfterMs: 14 * 3_600_000 },
  ],
  [
    "a From that was not verified",
    { status: 403, body: errors(["The from address does not match a verified Sender Identity.", "from"]) },
    { kind: "rejected", cause: "sender", scope: "sender" },
  ],
  ["a missing permission", { status: 403, body: errors(["access forbidden", "null"]) }, { cause: "auth" }],
  ["a wrong address", { status: 404, body: "" }, { cause: "auth", reason: "HTTP 404: Not Found" }],
  [
    "a redirect, which is not followed",
    { status: 301, headers: { location: "/elsewhere" }, body: "<p>Moved  here</p>" },
    { kind: "deferred", cause: "busy", reason: "HTTP 301: Moved here" },
  ],
  [
    "a proxy's own page, which is no acceptance",
    { status: 200, body: "<html><title>Sign in</title></html>" },
    { kind: "deferred", cause: "busy", reason: "HTTP 200: Sign in" },
  ],
  [
    "a body too large, as the proxy says it",
    { status: 413, body: "<html><head><title>413 Request Entity Too Large</title></head></html>" },
    { kind: "rejected", cause: "size", reason: "HTTP 413: 413 Request Entity Too Large" },
  ],
  [
    "too many requests, by Retry-After",
    { status: 429, headers: { "retry-after": "7" }, body: errors(["too many requests"]) },
    { kind: "deferred", cause: "throttled", retryAfterMs: 7_000 },
  ],
  [
    "too many requests, by a date",
    { status: 429, headers: { "retry-after": "Tue, 24 Nov 2026 10:01:00 GMT" }, body: errors(["too many requests"]) },
    { cause: "throttled", retryAfterMs: 60_000 },
  ],
  [
    "too many requests, by X-RateLimit-Reset",
    { status: 429, headers: { "x-ratelimit-reset": String(nowMs / 1_000 + 20) }, body: errors(["too many requests"]) },
    { cause: "throttled", retryAfterMs: 20_000 },
  ],
  [
    "an inner error, whose X-RateLimit-Reset means nothing",
    { status: 500, headers: { "x-ratelimit-reset": String(nowMs / 1_000 + 20) }, body: errors(["internal"]) },
    { kind: "deferred", cause: "outage" },
  ],
  ["a bad gateway in HTML", { status: 502, body: html }, { cause: "outage", reason: "HTTP 502: 502 Bad Gateway" }],
  ["an empty 503", { status: 503 }, { cause: "outage", reason: "HTTP 503: Service Unavailable" }],
];

describe("a refusal", () => {
  test.each(replies)("%s", async (_reply, answer, want) => {
    const api = await apiThat([answer]);
    const { outcome } = await send(providerAt(api.url), messageWith());
    if (outcome.kind === "relayed") throw new Error("relayed");
    expect({ kind: outcome.kind, ...outcome.failure }).toMatchObject({ stage: "http", ...want });
    expect(outcome.failure.retryAfterMs).toBe(want.retryAfterMs);
    expect(api.requests).toHaveLength(1);
  });

  test("never shows the key, even where the server repeats it", async () => {
    const api = await apiThat(({ headers }) => ({ status: 400, body: errors([`bad: ${headers.authorization}`]) }));
    const { outcome } = await send(providerAt(api.url), messageWith());
    expect(JSON.stringify(outcome)).toContain("bad: Bearer ***");
    expect(JSON.stringify(outcome)).not.toContain(apiKey);
  });

  test("that is cut off still counts as its status", async () => {
    const api = await apiThat([{ cut: { status: 503, body: "<h1>away</h1>" } }]);
    const { outcome } = await send(providerAt(api.url), messageWith());
    expect(outcome).toMatchObject({ kind: "deferred", failure: { cause: "outage", stage: "http" } });
  });
});

describe("recipients that the API refuses by name", () => {
  const message = messageWith({ to: [box("ada@example.com"), box("bad@-"), box("bob@example.com")] });
  const bad = errors(["Does not contain a valid address.", "personalizations.0.to.1.email"]);

  test("are refused, and the others are sent to", async () => {
    const api = await apiThat([{ status: 400, body: bad }, accepted]);
    const { outcome } = await send(providerAt(api.url), message);
    expect(outcome).toMatchObject({
      kind: "relayed",
      remoteId: "sg-1",
      refused: [{ recipient: "bad@-", failure: { cause: "recipient", scope: "recipient" } }],
    });
    expect(api.requests[1]?.json).toMatchObject({
      personalizations: [{ to: [{ email: "ada@example.com" }, { email: "bob@example.com" }] }],
    });
  });

  test("keep the others' own failure", async () => {
    const api = await apiThat([{ status: 400, body: bad }, { status: 503 }]);
    const { outcome } = await send(providerAt(api.url), message);
    expect(outcome).toMatchObject({
      kind: "deferred",
      failure: { cause: "outage" },
      refused: [{ recipient: "bad@-" }],
    });
  });

  test("all of them", async () => {
    const api = await apiThat([
      { status: 400, body: errors(["Does not contain a valid address.", "personalizations.0.to.0.email"]) },
    ]);
    const { outcome } = await send(providerAt(api.url), messageWith());
    expect(outcome).toMatchObject({
      kind: "rejected",
      failure: { cause: "recipient" },
      refused: [{ recipient: "ada@example.com" }],
    });
  });

  test("where it does not say which, none bounces for it", async () => {
    const api = await apiThat([
      { status: 400, body: errors(["Does not contain a valid address.", "personalizations.0.to"]) },
    ]);
    const { outcome } = await send(providerAt(api.url), message);
    expect(outcome).toMatchObject({ kind: "rejected", failure: { scope: "message", elsewhere: true }, refused: [] });
  });
});
