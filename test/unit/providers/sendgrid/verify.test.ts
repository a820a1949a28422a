import { describe, expect, test } from "vitest";
import type { Stage, Verification } from "../../../../src/core/index.ts";
import { apiKey, apiThat, providerAt } from "./harness.ts";
import type { ScriptedStep } from "./scripted-api.ts";

async function verifyAgainst(
  step: ScriptedStep,
): Promise<{ readonly verification: Verification; readonly path: string }> {
  const api = await apiThat([step]);
  const told: Stage[] = [];
  const verification = await providerAt(api.url, { timeouts: step === "silence" ? { responseMs: 50 } : {} }).verify({
    signal: new AbortController().signal,
    onStage: (stage) => told.push(stage),
  });
  expect(verification.stages).toEqual(told);
  expect(JSON.stringify(verification)).not.toContain(apiKey);
  return { verification, path: `${api.requests[0]?.method} ${api.requests[0]?.path}` };
}

describe("a check without mail", () => {
  test("asks for the key's scopes", async () => {
    const { verification, path } = await verifyAgainst({ status: 200, body: { scopes: ["mail.send", "alerts.read"] } });
    expect(path).toBe("GET /v3/scopes");
    expect(verification).toEqual({ ok: true, stages: ["queue", "connect", "http"] });
  });

  test("says when the key may not send", async () => {
    const { verification } = await verifyAgainst({ status: 200, body: { scopes: ["alerts.read"] } });
    expect(verification).toMatchObject({
      ok: false,
      failure: { cause: "auth", reason: expect.stringContaining("mail.send") as string },
    });
  });

  test.each<[string, ScriptedStep, string]>([
    ["a revoked key", { status: 401, body: { errors: [{ message: "authorization required" }] } }, "auth"],
    ["an outage", { status: 503 }, "outage"],
    ["silence, which leaves nothing uncertain", "silence", "outage"],
    ["a drop, which leaves nothing uncertain", "drop", "outage"],
    ["a page of a proxy in place of the answer", { status: 200, body: "<html>login</html>" }, "auth"],
  ])("tells of %s", async (_what, step, cause) => {
    const { verification } = await verifyAgainst(step);
    expect(verification).toMatchObject({ ok: false, failure: { cause, stage: "http" } });
  });
});
