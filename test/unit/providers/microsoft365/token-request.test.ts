import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { credentialSources } from "../../../../providers/microsoft365/credentials.ts";
import { settings } from "../../../../providers/microsoft365/settings.ts";
import { entraTokenRequest } from "../../../../providers/microsoft365/token-request.ts";
import type { TokenReply } from "../../../../providers/microsoft365/token-request.ts";
import type { Evidence } from "../../../../src/core/index.ts";
import { createAuthority } from "../../../../src/lab/certificate.ts";
import { answerJson, giveToken, startScriptedLogin } from "./scripted-login.ts";
import type { Script, ScriptedLogin } from "./scripted-login.ts";

const tenantId = "11111111-2222-3333-4444-555555555555";
const clientId = "66666666-7777-8888-9999-000000000000";
const clientSecret = "s3cret+value/with=odd~signs";

let login: ScriptedLogin;

beforeAll(async () => {
  login = await startScriptedLogin();
});
afterAll(async () => {
  await login.close();
});
beforeEach(() => {
  login.script = giveToken;
});

function ask(changes: Record<string, unknown> = {}, ca = login.ca, signal = new AbortController().signal) {
  const parsed = settings.parse({
    kind: "microsoft365",
    tenantId,
    clientId,
    mailbox: "noreply@contoso.com",
    ...("federatedTokenFile" in changes ? {} : { clientSecret }),
    authority: login.authority,
    ...changes,
  });
  return entraTokenRequest(parsed, credentialSources(parsed)[0], ca, Date.now)(signal);
}

function evidence(reply: TokenReply): Evidence {
  if (reply.ok) throw new Error("there was a token");
  expect(JSON.stringify(reply)).not.toContain(clientSecret);
  expect(JSON.stringify(reply)).not.toContain(encodeURIComponent(clientSecret));
  return reply.evidence;
}

test("a token is asked for at the tenant's endpoint, for the scope, in one request", async () => {
  const before = login.seen.length;
  const reply = await ask();
  if (!reply.ok) throw new Error(reply.evidence.text);
  expect(reply.accessToken).toBe("the-access-token");
  expect(reply.expiresAt - Date.now()).toBeGreaterThan(3_590_000);
  expect(reply.expiresAt - Date.now()).toBeLessThan(3_601_000);
  expect(login.seen.length - before).toBe(1);
  const { url, form } = login.seen.at(-1) ?? { url: "", form: new URLSearchParams() };
  expect(url.split("?")[0]).toBe(`/${tenantId}/oauth2/v2.0/token`);
  expect(form.get("grant_type")).toBe("client_credentials");
  expect(form.get("scope")).toBe("https://outlook.office365.com/.default");
  expect(form.get("client_id")).toBe(clientId);
  expect(form.get("client_secret")).toBe(clientSecret);
});

test("a federated token is read again at each request", async () => {
  const federatedTokenFile = join(tmpdir(), `mailover-test-${process.pid}-federated`);
  for (const assertion of ["eyJhbGciOi.first.one", "eyJhbGciOi.second.one"]) {
    await writeFile(federatedTokenFile, `${assertion}\n`);
    expect(await ask({ federatedTokenFile })).toMatchObject({ ok: true });
    const form = login.seen.at(-1)?.form;
    expect(form?.get("client_assertion")).toBe(assertion);
    expect(form?.get("client_assertion_type")).toBe("urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
  }
});

test("a federated token's file that is not there is said so, and nothing is asked", async () => {
  const before = login.seen.length;
  expect(evidence(await ask({ federatedTokenFile: "/nowhere/token" }))).toEqual({
    stage: "token",
    errorCode: "CREDENTIAL_FILE_UNREADABLE",
    text: "federatedTokenFile: /nowhere/token cannot be read (ENOENT)",
  });
  expect(login.seen.length).toBe(before);
});

describe("an answer without a token leaves evidence", () => {
  const description =
    "AADSTS7000222: The provided client secret keys for app '6666' are expired.\r\nTrace ID: 1\r\nCorrelation ID: 2";
  const cases: readonly [rule: string, script: Script, want: Partial<Evidence>][] = [
    [
      "an error of Entra ID, by number",
      (_request, response) =>
        answerJson(response, 401, { error: "invalid_client", error_description: description, error_codes: [7000222] }),
      {
        httpStatus: 401,
        errorCode: "invalid_client",
        aadsts: 7_000_222,
        text: "AADSTS7000222: The provided client secret keys for app '6666' are expired. Trace ID: 1 Correlation ID: 2",
      },
    ],
    [
      "the number is read off the description where it is not given alone",
      (_request, response) => answerJson(response, 400, { error: "invalid_client", error_description: description }),
      { httpStatus: 400, aadsts: 7_000_222 },
    ],
    [
      "an error that MSAL takes for a question to the user",
      (_request, response) =>
        answerJson(response, 400, { error: "invalid_grant", suberror: "consent_required", error_codes: [65001] }),
      { httpStatus: 400, aadsts: 65_001, errorCode: "invalid_grant" },
    ],
    [
      "throttling, with Retry-After in seconds",
      (_request, response) => answerJson(response, 429, { error: "temporarily_unavailable" }, { "Retry-After": "17" }),
      { httpStatus: 429, retryAfterMs: 17_000 },
    ],
    [
      "a page of a proxy",
      (_request, response) => response.writeHead(502, { "content-type": "text/html" }).end("<h1>Bad Gateway</h1>"),
      {
        httpStatus: 502,
        text: expect.stringMatching(/^localhost:\d+ answered HTTP 502, token_parsing_error$/) as string,
      },
    ],
    [
      "success without a token",
      (_request, response) => answerJson(response, 200, { token_type: "Bearer" }),
      { httpStatus: 200 },
    ],
    ["an answer that is no object", (_request, response) => response.writeHead(200).end("null"), { httpStatus: 200 }],
    ["a hang-up", (_request, _response, incoming) => incoming.socket.destroy(), { errorCode: "ECONNRESET" }],
    [
      "a hang-up in the middle of the answer",
      (_request, response, incoming) => {
        response.writeHead(200, { "content-length": "1000" });
        response.write("{", () => incoming.socket.destroy());
      },
      { errorCode: "ECONNRESET" },
    ],
    [
      "an answer without an end",
      (_request, response) => {
        const more = () => response.destroyed || response.write(Buffer.alloc(65_536, "x"), more);
        response.writeHead(200);
        more();
      },
      { errorCode: "token_parsing_error", text: expect.stringContaining("over 1000000 bytes") as string },
    ],
    [
      "a proxy that echoes what it was sent",
      ({ form }, response) =>
        answerJson(response, 403, { error: "denied", error_description: `no: ${form.toString()} ${clientSecret}` }),
      { httpStatus: 403, text: expect.stringContaining("‹hidden›") as string },
    ],
  ];
  test.each(cases)("%s", async (_rule, script, want) => {
    login.script = script;
    expect(evidence(await ask())).toMatchObject({ stage: "token", ...want });
  });
});

describe("no answer at all", () => {
  test("silence ends after tokenMs", async () => {
    login.script = () => {};
    const startedAt = Date.now();
    const found = evidence(await ask({ timeouts: { tokenMs: 300 } }));
    expect(found).toMatchObject({ errorCode: "ETIMEDOUT", text: expect.stringContaining("within 300 ms") });
    expect(Date.now() - startedAt).toBeLessThan(5000);
  });

  test("an answer that trickles ends after tokenMs too", async () => {
    login.script = (_request, response) => {
      response.writeHead(200);
      response.write("{");
    };
    expect(evidence(await ask({ timeouts: { tokenMs: 300 } }))).toMatchObject({ errorCode: "ETIMEDOUT" });
  });

  test("nobody listens", async () => {
    const gone = await startScriptedLogin();
    await gone.close();
    const found = evidence(await ask({ authority: gone.authority }));
    expect(found.errorCode).toBe("ECONNREFUSED");
    expect(found.text).toMatch(/^request for a token to localhost:\d+: .*ECONNREFUSED/);
  });

  test("a certificate of an authority that we do not trust", async () => {
    const other = await createAuthority();
    expect(evidence(await ask({}, other.ca)).errorCode).toMatch(
      /^(CERT_SIGNATURE_FAILURE|UNABLE_TO_VERIFY_LEAF_SIGNATURE)$/,
    );
  });

  test("an abort ends it at once", async () => {
    const controller = new AbortController();
    login.script = () => controller.abort();
    expect(evidence(await ask({}, login.ca, controller.signal))).toMatchObject({ errorCode: "ABORTED" });
    expect(evidence(await ask({}, login.ca, controller.signal))).toMatchObject({ errorCode: "ABORTED" });
  });
});

test("a service that recovers is asked again, whatever it said before", async () => {
  const failures = [429, 500, 503].map(
    (status): Script =>
      (_request, response) =>
        answerJson(response, status, { error: "temporarily_unavailable" }, { "retry-after": "3600" }),
  );
  for (const script of failures) {
    login.script = script;
    evidence(await ask());
    login.script = giveToken;
    expect(await ask()).toMatchObject({ ok: true });
  }
});
