import { writeFile } from "node:fs/promises";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { rotatingTokenRequest } from "../../../../providers/microsoft365/credential-rotation.ts";
import type { TokenReply } from "../../../../providers/microsoft365/token-request.ts";
import type { Evidence } from "../../../../src/core/index.ts";
import { LAB_ACCOUNT, startLab } from "../../../../src/lab/index.ts";
import type { Lab } from "../../../../src/lab/index.ts";
import { clientSecret, providerOf, resetLab } from "./lab-provider.ts";
import type { Watched } from "./lab-provider.ts";

const hourMs = 3_600_000;
const wrongSecret: Evidence = { stage: "token", text: "AADSTS7000215", aadsts: 7_000_215, httpStatus: 401 };
const expiredSecret: Evidence = { stage: "token", text: "AADSTS7000222", aadsts: 7_000_222, httpStatus: 401 };
const outage: Evidence = { stage: "token", text: "HTTP 503", httpStatus: 503 };

/** Two credentials, each answered by Entra ID as `answers` says; an answer of null is a token. */
function pair(answers: { first: Evidence | null; next: Evidence | null }) {
  const time = { now: 0 };
  const asked: string[] = [];
  const notices: { event: string; fields: Record<string, unknown> }[] = [];
  const candidate = (name: "first" | "next", field: string) => ({
    field,
    request: async (): Promise<TokenReply> => {
      asked.push(name);
      const evidence = answers[name];
      if (evidence !== null) return { ok: false, evidence };
      return { ok: true, accessToken: `of ${name}`, expiresAt: hourMs, lifetimeMs: hourMs, lasting: null };
    },
  });
  const request = rotatingTokenRequest(
    candidate("first", "clientSecret"),
    candidate("next", "nextCredential.certificate"),
    { clock: () => time.now, notice: (event, fields) => notices.push({ event, fields }) },
  );
  const ask = async () => {
    const reply = await request(new AbortController().signal);
    return reply.ok ? reply.accessToken : reply.evidence;
  };
  return { answers, asked, notices, time, ask };
}

describe("of two credentials", () => {
  test("the first is used while it is taken", async () => {
    const { ask, asked, notices } = pair({ first: null, next: null });
    expect([await ask(), await ask()]).toEqual(["of first", "of first"]);
    expect(asked).toEqual(["first", "first"]);
    expect(notices).toEqual([]);
  });

  const refusals: readonly [rule: string, evidence: Evidence][] = [
    ["a wrong secret", wrongSecret],
    ["an expired secret", expiredSecret],
    ["a certificate that is not uploaded", { stage: "token", text: "", aadsts: 700_027 }],
    ["a certificate that has expired", { stage: "token", text: "", errorCode: "CERTIFICATE_EXPIRED" }],
    ["a file that cannot be read", { stage: "token", text: "", errorCode: "CREDENTIAL_FILE_UNREADABLE" }],
    ["a federated token that is not known", { stage: "token", text: "", aadsts: 700_213 }],
    ["a refusal with a new number", { stage: "token", text: "", errorCode: "invalid_client", httpStatus: 401 }],
  ];
  test.each(refusals)("the next one takes over from %s", async (_rule, first) => {
    const { ask, asked, notices } = pair({ first, next: null });
    expect(await ask()).toBe("of next");
    expect(asked).toEqual(["first", "next"]);
    expect(notices).toEqual([
      {
        event: "credential.refused",
        fields: {
          credential: "clientSecret",
          used: "nextCredential.certificate",
          rule: expect.stringMatching(/./),
          reason: expect.stringMatching(/^clientSecret is refused, nextCredential\.certificate is used: /),
          remedy: expect.stringMatching(/./),
        },
      },
    ]);
  });

  const others: readonly [rule: string, evidence: Evidence][] = [
    ["an outage", outage],
    ["throttling", { stage: "token", text: "", httpStatus: 429 }],
    ["an app that the tenant does not know", { stage: "token", text: "", aadsts: 700_016 }],
    ["a missing consent", { stage: "token", text: "", aadsts: 65_001 }],
    ["a network that is down", { stage: "token", text: "", errorCode: "ECONNREFUSED" }],
  ];
  test.each(others)("neither helps against %s, so the next one is not tried", async (_rule, first) => {
    const { ask, asked } = pair({ first, next: null });
    expect(await ask()).toBe(first);
    expect(asked).toEqual(["first"]);
  });

  test("the next one then goes first for an hour, and the first is tried again after it", async () => {
    const { ask, asked, time, notices, answers } = pair({ first: expiredSecret, next: null });
    await ask();
    time.now = hourMs - 1;
    expect(await ask()).toBe("of next");
    expect(asked).toEqual(["first", "next", "next"]);
    answers.first = null;
    time.now = hourMs;
    expect(await ask()).toBe("of first");
    expect(asked).toEqual(["first", "next", "next", "first"]);
    expect(notices).toHaveLength(1);
  });

  test("the first is tried at once where the next one comes to be refused", async () => {
    const { ask, asked, answers, notices } = pair({ first: wrongSecret, next: null });
    await ask();
    answers.first = null;
    answers.next = expiredSecret;
    expect(await ask()).toBe("of first");
    expect(asked).toEqual(["first", "next", "next", "first"]);
    expect(notices.at(-1)?.fields).toMatchObject({ credential: "nextCredential.certificate", used: "clientSecret" });
    expect(await ask()).toBe("of first");
    expect(asked).toHaveLength(5);
  });

  test("both refused, the first is told of, each time with one request for each", async () => {
    const { ask, asked, answers } = pair({ first: wrongSecret, next: expiredSecret });
    expect(await ask()).toBe(wrongSecret);
    answers.next = null;
    await ask();
    answers.next = expiredSecret;
    expect(await ask()).toBe(wrongSecret);
    expect(asked).toHaveLength(6);
  });

  test("the first refused and the next one not answered is an outage: credentials may be well", async () => {
    const { ask, notices } = pair({ first: wrongSecret, next: outage });
    expect(await ask()).toBe(outage);
    expect(notices).toEqual([]);
  });
});

describe("at Entra ID", () => {
  let lab: Lab;
  let watched: Watched;
  const folder = mkdtempSync(join(tmpdir(), "mailover-test-"));

  beforeAll(async () => {
    lab = await startLab();
  });
  afterAll(async () => {
    await lab.close();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => resetLab(lab));
  afterEach(async () => {
    await watched.close();
  });

  test("a secret that was replaced in the admin centre stops no mail where the new one is there already", async () => {
    const { clientId } = LAB_ACCOUNT;
    watched = providerOf(lab, { clientSecret: "the-old-secret", nextCredential: { clientSecret } });
    lab.entra.setRules({ apps: [{ clientId, secrets: [{ value: "the-old-secret" }, { value: clientSecret }] }] });
    expect(await watched.send()).toMatchObject({ kind: "relayed" });
    expect(lab.entra.tokenRequestCount()).toBe(1);
    lab.entra.setRules({ apps: [{ clientId, secrets: [{ value: clientSecret }] }] });
    lab.entra.revokeTokens();
    await lab.exchange.setFault({ kind: "refuse" });
    await expect.poll(() => lab.exchange.connections, { timeout: 10_000 }).toBe(0);
    await lab.exchange.setFault(null);
    expect(await watched.send()).toMatchObject({ kind: "relayed" });
    expect(lab.entra.tokenRequestCount()).toBe(3);
    expect(watched.notices).toContainEqual({
      event: "credential.refused",
      fields: expect.objectContaining({ rule: "entra-secret-invalid", used: "nextCredential.clientSecret" }),
    });
    expect(JSON.stringify(watched.notices)).not.toContain("the-old-secret");
  });

  test("a second credential that cannot be read is named as it stands in the settings", async () => {
    const file = join(folder, "junk.pem");
    await writeFile(file, "junk");
    watched = providerOf(lab, { certificate: { file }, nextCredential: { certificate: { file } } });
    expect(await watched.send()).toMatchObject({
      kind: "rejected",
      failure: { rule: "certificate-unusable", reason: expect.stringMatching(/^certificate\.file: /) },
    });
    await watched.close();
    const rest = { clientSecret: undefined, certificate: { file: join(folder, "none") } };
    watched = providerOf(lab, { ...rest, nextCredential: { clientSecret } });
    expect(await watched.send()).toMatchObject({ kind: "relayed" });
    expect(watched.notices).toContainEqual({
      event: "credential.refused",
      fields: expect.objectContaining({ credential: "certificate", rule: "credential-file-unreadable" }),
    });
  });
});
