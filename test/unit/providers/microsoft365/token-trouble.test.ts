import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createAuthority, LAB_ACCOUNT, startLab } from "../../../../src/lab/index.ts";
import type { Lab } from "../../../../src/lab/index.ts";
import { clientSecret, mailbox, providerOf, resetLab } from "./lab-provider.ts";
import type { Watched } from "./lab-provider.ts";

let lab: Lab;
let watched: Watched;

beforeAll(async () => {
  lab = await startLab();
});
afterAll(async () => {
  await lab.close();
});
beforeEach(async () => {
  await resetLab(lab);
  watched = providerOf(lab);
});
afterEach(async () => {
  await watched.close();
});

/** Sends a message so that there is a token, and hangs up so that the next one has to sign in. */
async function warmUp(): Promise<void> {
  expect(await watched.send()).toMatchObject({ kind: "relayed" });
  await lab.exchange.setFault({ kind: "refuse" });
  await expect.poll(() => lab.exchange.connections, { timeout: 10_000 }).toBe(0);
  await lab.exchange.setFault(null);
  lab.exchange.clear();
  lab.entra.clear();
}

const authCount = () =>
  lab.exchange.transcript.filter(({ from, text }) => from === "client" && /^AUTH/i.test(text)).length;

describe("a token that Exchange no longer takes", () => {
  test("is replaced by a new one, and the message goes within the attempt", async () => {
    await warmUp();
    lab.entra.revokeTokens();
    expect(await watched.send()).toMatchObject({ kind: "relayed" });
    expect(lab.entra.tokenRequestCount()).toBe(1);
    expect(authCount()).toBe(2);
    expect(watched.notices.map(({ event }) => event)).toContain("token.rejected");
  });

  test("refused a second time is a matter of credentials", async () => {
    await warmUp();
    lab.exchange.setRules({ forbidden: [mailbox] });
    expect(await watched.send()).toMatchObject({
      kind: "rejected",
      failure: {
        cause: "auth",
        stage: "auth",
        status: "5.7.3",
        remedy: expect.stringContaining("New-ServicePrincipal"),
      },
    });
    expect(lab.entra.tokenRequestCount()).toBe(1);
    expect(authCount()).toBe(2);
  });

  test("refused when it is brand-new is not tried again", async () => {
    lab.exchange.setRules({ forbidden: [mailbox] });
    expect(await watched.send()).toMatchObject({ kind: "rejected", failure: { cause: "auth", stage: "auth" } });
    expect(lab.entra.tokenRequestCount()).toBe(1);
    expect(authCount()).toBe(1);
  });

  test("is kept where a switch at Exchange is the reason", async () => {
    await warmUp();
    lab.exchange.setRules({ smtpAuthDisabledFor: [mailbox] });
    expect(await watched.send()).toMatchObject({
      kind: "rejected",
      failure: { cause: "auth", status: "5.7.139", remedy: expect.stringContaining("Set-CASMailbox") },
    });
    expect(lab.entra.tokenRequestCount()).toBe(0);
    expect(authCount()).toBe(1);
  });

  test("is kept where Entra ID gives no other, and works when Exchange is well again", async () => {
    await warmUp();
    await lab.entra.setFault({ kind: "refuse" });
    await lab.exchange.setFault({
      kind: "reply",
      at: "auth",
      text: "535 5.7.3 Authentication unsuccessful [TYAPR01CA0229.jpnprd01.prod.outlook.com]",
      count: 1,
    });
    expect(await watched.send()).toMatchObject({ kind: "rejected", failure: { cause: "auth", status: "5.7.3" } });
    expect(await watched.send()).toMatchObject({ kind: "relayed" });
  });

  test("a temporary failure at AUTH is no reason to ask for another", async () => {
    await warmUp();
    await lab.exchange.setFault({ kind: "reply", at: "auth", text: "454 4.7.0 Temporary authentication failure" });
    expect((await watched.send()).kind).toBe("deferred");
    expect(lab.entra.tokenRequestCount()).toBe(0);
  });
});

describe("Entra ID is down", () => {
  test("with a live token mail flows", async () => {
    await warmUp();
    await lab.entra.setFault({ kind: "refuse" });
    expect(await watched.send()).toMatchObject({ kind: "relayed" });
    expect(await watched.verify()).toMatchObject({ ok: true });
  });

  test("without one it is an outage, not a matter of credentials, and nothing goes to Exchange", async () => {
    await lab.entra.setFault({ kind: "refuse" });
    const { connectionCount } = lab.exchange;
    expect(await watched.send()).toMatchObject({
      kind: "deferred",
      failure: { cause: "outage", scope: "provider", stage: "token", rule: "connection-refused" },
    });
    expect(lab.exchange.connectionCount).toBe(connectionCount);
    expect(watched.stages).toEqual(["token"]);
    await lab.entra.setFault(null);
    expect(await watched.send()).toMatchObject({ kind: "relayed" });
  });

  test("the token is renewed at half its life, and the old one serves while that fails", async () => {
    lab.entra.setRules({ tokenLifetimeS: 6 });
    await watched.send();
    await expect.poll(() => lab.entra.tokenRequestCount(), { timeout: 5000 }).toBe(2);
    await lab.entra.setFault({ kind: "response", status: 503, body: "Service Unavailable" });
    await expect
      .poll(() => watched.notices.map(({ event }) => event), { timeout: 5000 })
      .toContain("token.refresh.failed");
    expect(await watched.send()).toMatchObject({ kind: "relayed" });
    expect(watched.notices.at(-1)).toMatchObject({ fields: { httpStatus: 503 } });
  });
});

describe("Entra ID answers without a token", () => {
  test("an expired secret names the page where to make another", async () => {
    lab.entra.setRules({
      apps: [{ clientId: LAB_ACCOUNT.clientId, secrets: [{ value: clientSecret, expiresAt: Date.now() - 1000 }] }],
    });
    expect(await watched.send()).toMatchObject({
      kind: "rejected",
      failure: {
        cause: "auth",
        stage: "token",
        rule: "entra-secret-expired",
        reason: expect.stringMatching(/^AADSTS7000222: .*Trace ID/),
        remedy: expect.stringContaining("Certificates & secrets"),
      },
    });
  });

  const refusals: readonly [rule: string, aadsts: number, kind: string, cause: string][] = [
    ["wrong secret", 7000215, "rejected", "auth"],
    ["app not in the tenant", 700016, "rejected", "auth"],
    ["no consent", 65001, "rejected", "auth"],
    ["trouble of its own", 90033, "deferred", "outage"],
    ["a loop", 50196, "deferred", "throttled"],
  ];
  test.each(refusals)("%s, AADSTS%i: %s as %s", async (_rule, aadsts, kind, cause) => {
    await lab.entra.setFault({ kind: "aadsts", aadsts });
    expect(await watched.send()).toMatchObject({ kind, failure: { cause, stage: "token" } });
  });

  test("throttling is waited out as long as asked, and no longer", async () => {
    await lab.entra.setFault({
      kind: "response",
      status: 429,
      headers: { "Retry-After": "3" },
      body: { error: "temporarily_unavailable", error_description: "AADSTS90055: Too many requests." },
      count: 1,
    });
    const throttledAt = Date.now();
    expect(await watched.send()).toMatchObject({
      kind: "deferred",
      failure: { cause: "throttled", stage: "token", retryAfterMs: 3000 },
    });
    expect(await watched.send()).toMatchObject({ kind: "deferred", failure: { cause: "throttled" } });
    expect(lab.entra.tokenRequestCount()).toBe(1);
    await expect.poll(async () => (await watched.send()).kind, { timeout: 10_000, interval: 100 }).toBe("relayed");
    expect(Date.now() - throttledAt).toBeGreaterThanOrEqual(2900);
    expect(lab.entra.tokenRequestCount()).toBe(2);
  });

  test("a proxy's page and bytes that are no HTTP are outages", async () => {
    for (const fault of [
      { kind: "response", status: 502, body: "<html>Bad Gateway</html>" },
      { kind: "response", status: 200, body: "<html>Sign in to the hotel</html>" },
      { kind: "garbage" },
      { kind: "drop" },
    ] as const) {
      await lab.entra.setFault(fault);
      expect(await watched.send()).toMatchObject({ kind: "deferred", failure: { cause: "outage", stage: "token" } });
    }
  });
});

describe("no answer", () => {
  test("silence ends after tokenMs as an outage", async () => {
    await lab.entra.setFault({ kind: "silence" });
    await watched.close();
    watched = providerOf(lab, { timeouts: { tokenMs: 300 } });
    expect(await watched.send()).toMatchObject({
      kind: "deferred",
      failure: { cause: "outage", stage: "token", reason: expect.stringContaining("within 300 ms") },
    });
  });

  test("a certificate that we do not trust", async () => {
    await watched.close();
    watched = providerOf(lab, { ca: (await createAuthority()).ca });
    expect(await watched.send()).toMatchObject({
      kind: "deferred",
      failure: { cause: "outage", stage: "token", rule: "tls-certificate-untrusted" },
    });
  });
});
