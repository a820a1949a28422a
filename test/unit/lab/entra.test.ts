import { createHash, createPrivateKey, generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { generate } from "selfsigned";
import { describe, expect, onTestFinished, test } from "vitest";
import { LAB_ACCOUNT, startEntra } from "../../../src/lab/index.ts";
import type { EntraOptions, EntraServer } from "../../../src/lab/index.ts";
import { accessToken, msal, networkClient } from "./msal.ts";

async function entra(options?: EntraOptions): Promise<EntraServer> {
  const server = await startEntra(options);
  onTestFinished(() => server.close());
  return server;
}

const scopes = [LAB_ACCOUNT.scope];

const FORM = {
  grant_type: "client_credentials",
  client_id: LAB_ACCOUNT.clientId,
  client_secret: LAB_ACCOUNT.clientSecret,
  scope: LAB_ACCOUNT.scope,
};

const { client_secret: _secret, ...NO_CREDENTIAL } = FORM;

type TokenBody = {
  access_token?: string;
  expires_in?: number;
  error?: string;
  error_codes?: number[];
  error_description?: string;
};

async function askToken(server: EntraServer, form: Record<string, string>, tenant: string = LAB_ACCOUNT.tenantId) {
  return networkClient(server.ca ?? "").sendPostRequestAsync<TokenBody>(`${server.url}/${tenant}/oauth2/v2.0/token`, {
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(form).toString(),
  });
}

describe("a token", () => {
  test("comes for a secret, lives as long as the rules say, and dies", async () => {
    let now = Date.now();
    const server = await entra({ clock: () => now, rules: { tokenLifetimeS: 600 } });
    const result = await msal(server).acquireTokenByClientCredential({ scopes });
    const token = result?.accessToken ?? "";
    expect(Math.abs((result?.expiresOn?.getTime() ?? 0) - now - 600_000)).toBeLessThan(5_000);
    expect(server.checkToken(token)).toMatchObject({
      clientId: LAB_ACCOUNT.clientId,
      audience: "https://outlook.office365.com",
      roles: ["SMTP.SendAsApp"],
    });
    now += 600_000;
    expect(server.checkToken(token)).toBeNull();
    expect(server.tokenRequestCount()).toBe(1);
  });

  test("is worthless once revoked, and so is one that was made up", async () => {
    const server = await entra();
    const token = await accessToken(server);
    server.revokeTokens();
    expect(server.checkToken(token)).toBeNull();
    expect(server.checkToken("eyJ0eXAiOiJKV1QifQ.e30.x")).toBeNull();
  });

  test("comes for a certificate that is registered, and no other", async () => {
    const mine = await generate([{ name: "commonName", value: "app" }], { algorithm: "sha256" });
    const other = await generate([{ name: "commonName", value: "other" }], { algorithm: "sha256" });
    const server = await entra({ rules: { apps: [{ clientId: LAB_ACCOUNT.clientId, certificates: [mine.cert] }] } });
    const withCertificate = (pems: { private: string; cert: string }) => {
      const thumbprintSha256 = new X509Certificate(pems.cert).fingerprint256.replaceAll(":", "");
      const app = msal(server, { clientSecret: "", clientCertificate: { thumbprintSha256, privateKey: pems.private } });
      return app.acquireTokenByClientCredential({ scopes });
    };
    expect(server.checkToken((await withCertificate(mine))?.accessToken ?? "")).not.toBeNull();
    await expect(withCertificate(other)).rejects.toMatchObject({ errorCode: "invalid_client", errorNo: 700027 });
  });

  test("comes for an assertion of a federated issuer and subject, and no other", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const issuer = "https://token.ci.test";
    const server = await entra({
      rules: {
        apps: [
          {
            clientId: LAB_ACCOUNT.clientId,
            federated: [
              { issuer, subject: "repo:app", publicKey: publicKey.export({ type: "spki", format: "pem" }).toString() },
            ],
          },
        ],
      },
    });
    const assertion = (subject: string, lifetimeS = 300): string => {
      const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
      const exp = Math.floor(Date.now() / 1_000) + lifetimeS;
      const claims = { iss: issuer, sub: subject, aud: "api://AzureADTokenExchange", exp };
      const signed = `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}`;
      return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
    };
    const ask = (clientAssertion: string) =>
      msal(server, { clientSecret: "", clientAssertion }).acquireTokenByClientCredential({ scopes });
    expect(server.checkToken((await ask(assertion("repo:app")))?.accessToken ?? "")).not.toBeNull();
    await expect(ask(assertion("repo:other"))).rejects.toMatchObject({ errorNo: 700213 });
    await expect(ask(assertion("repo:app", -900))).rejects.toMatchObject({ errorNo: 700024 });
  });

  test("an assertion with SHA-1 thumbprint and RS256 counts; one with a broken signature does not", async () => {
    const pems = await generate([{ name: "commonName", value: "app" }], { algorithm: "sha256" });
    const server = await entra({ rules: { apps: [{ clientId: LAB_ACCOUNT.clientId, certificates: [pems.cert] }] } });
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const x5t = createHash("sha1").update(new X509Certificate(pems.cert).raw).digest("base64url");
    const claims = {
      iss: LAB_ACCOUNT.clientId,
      sub: LAB_ACCOUNT.clientId,
      aud: `${server.url}/${LAB_ACCOUNT.tenantId}/oauth2/v2.0/token`,
      exp: Math.floor(Date.now() / 1_000) + 300,
    };
    const signed = `${part({ alg: "RS256", x5t })}.${part(claims)}`;
    const signature = sign("sha256", Buffer.from(signed), createPrivateKey(pems.private));
    const ask = (bytes: Buffer) =>
      askToken(server, {
        grant_type: "client_credentials",
        client_id: LAB_ACCOUNT.clientId,
        scope: LAB_ACCOUNT.scope,
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion: `${signed}.${bytes.toString("base64url")}`,
      });
    expect((await ask(signature)).status).toBe(200);
    signature[0] = (signature[0] ?? 0) ^ 1;
    expect((await ask(signature)).body.error_codes).toEqual([700027]);
  });
});

const refusals: readonly [
  rule: string,
  form: Record<string, string>,
  tenant: string,
  status: number,
  error: string,
  aadsts: number,
][] = [
  ["a wrong secret", { ...FORM, client_secret: "x" }, LAB_ACCOUNT.tenantId, 401, "invalid_client", 7000215],
  ["no credential", NO_CREDENTIAL, LAB_ACCOUNT.tenantId, 401, "invalid_client", 7000216],
  ["an unknown app", { ...FORM, client_id: "x" }, LAB_ACCOUNT.tenantId, 400, "unauthorized_client", 700016],
  ["an unknown tenant", FORM, "fabrikam.com", 400, "invalid_request", 90002],
  ["a scope without .default", { ...FORM, scope: "Mail.Send" }, LAB_ACCOUNT.tenantId, 400, "invalid_scope", 1002012],
  [
    "a resource that is not there",
    { ...FORM, scope: "https://other.test/.default" },
    LAB_ACCOUNT.tenantId,
    400,
    "invalid_resource",
    500011,
  ],
  ["a missing field", { ...FORM, scope: "" }, LAB_ACCOUNT.tenantId, 400, "invalid_request", 900144],
  ["another grant", { ...FORM, grant_type: "password" }, LAB_ACCOUNT.tenantId, 400, "unsupported_grant_type", 70003],
];

describe("refusals", () => {
  for (const [rule, form, tenant, status, error, aadsts] of refusals) {
    test(`${rule} is AADSTS${aadsts}`, async () => {
      const answer = await askToken(await entra(), form, tenant);
      expect(answer.status).toBe(status);
      expect(answer.body).toMatchObject({
        error,
        error_codes: [aadsts],
        error_description: expect.stringMatching(
          new RegExp(`^AADSTS${aadsts}: .* Trace ID: .* Correlation ID: .* Timestamp: `),
        ),
        trace_id: expect.any(String),
        correlation_id: expect.any(String),
        error_uri: expect.stringContaining(`code=${aadsts}`),
      });
    });
  }

  test("an expired secret is AADSTS7000222, as MSAL sees it", async () => {
    const server = await entra();
    server.setRules({
      apps: [{ clientId: LAB_ACCOUNT.clientId, secrets: [{ value: LAB_ACCOUNT.clientSecret, expiresAt: 0 }] }],
    });
    await expect(msal(server).acquireTokenByClientCredential({ scopes })).rejects.toMatchObject({
      name: "ServerError",
      errorCode: "invalid_client",
      errorNo: 7000222,
      status: 401,
    });
  });

  test("a disabled app is AADSTS7000112", async () => {
    const server = await entra({ rules: { apps: [{ clientId: LAB_ACCOUNT.clientId, disabled: true }] } });
    expect((await askToken(server, FORM)).body.error_codes).toEqual([7000112]);
  });
});

describe("faults", () => {
  test("an AADSTS number on demand, with what belongs to it", async () => {
    const server = await entra();
    await server.setFault({ kind: "aadsts", aadsts: 90055, count: 1 });
    const answer = await askToken(server, FORM);
    expect([answer.status, answer.headers["retry-after"], answer.body.error_codes]).toEqual([429, "60", [90055]]);
    expect((await askToken(server, FORM)).status).toBe(200);
    expect(server.tokenRequestCount()).toBe(2);
  });

  test("any response, for one path alone", async () => {
    const server = await entra();
    const headers = { "retry-after": "7" };
    await server.setFault({ kind: "response", status: 429, headers, body: { error: "busy" }, path: "/token" });
    const answer = await askToken(server, FORM);
    expect([answer.status, answer.headers["retry-after"], answer.body]).toEqual([429, "7", { error: "busy" }]);
    const url = `${server.url}/${LAB_ACCOUNT.tenantId}/v2.0/.well-known/openid-configuration`;
    expect((await networkClient(server.ca ?? "").sendGetRequestAsync(url)).status).toBe(200);
  });

  test("drop: the connection ends without an answer", async () => {
    const server = await entra();
    await server.setFault({ kind: "drop" });
    await expect(askToken(server, FORM)).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  test("garbage is no HTTP", async () => {
    const server = await entra();
    await server.setFault({ kind: "garbage" });
    await expect(askToken(server, FORM)).rejects.toMatchObject({ code: expect.stringMatching(/^HPE_/) });
  });

  test("refuse: ECONNREFUSED, until it is lifted", async () => {
    const server = await entra();
    await server.setFault({ kind: "refuse" });
    await expect(askToken(server, FORM)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await server.setFault(null);
    expect((await askToken(server, FORM)).status).toBe(200);
  });

  test("slow: the answer comes late; silence: never", async () => {
    const server = await entra();
    await server.setFault({ kind: "slow", delayMs: 80 });
    const startedAt = performance.now();
    expect((await askToken(server, FORM)).status).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThan(78);
    await server.setFault({ kind: "silence" });
    const silent = askToken(server, FORM);
    const settled = silent.then(
      () => "answered",
      (error: NodeJS.ErrnoException) => error.code,
    );
    while (server.tokenRequestCount() < 2) await new Promise(setImmediate);
    await server.setFault({ kind: "refuse" });
    expect(await settled).toBe("ECONNRESET");
  });
});

test("instance discovery and the OpenID configuration name this server", async () => {
  const server = await entra();
  const client = networkClient(server.ca ?? "");
  const discovery = await client.sendGetRequestAsync<{ tenant_discovery_endpoint: string }>(
    `${server.url}/common/discovery/instance?api-version=1.1&authorization_endpoint=x`,
  );
  const configuration = await client.sendGetRequestAsync<{ token_endpoint: string }>(
    discovery.body.tenant_discovery_endpoint,
  );
  expect(configuration.body.token_endpoint).toBe(`${server.url}/${LAB_ACCOUNT.tenantId}/oauth2/v2.0/token`);
});
