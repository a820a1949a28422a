import { afterEach, beforeEach, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";

let scene: Scene;
let relay: RelayServer;

beforeEach(async () => {
  scene = await Scene.open();
  relay = await startRelay();
});

afterEach(async () => {
  await scene.close();
  await relay.close();
});

const settings = (more: object = {}): { [key: string]: unknown } => ({
  delivery: { shutdownMs: 1_500, slowAfterMs: 60_000 },
  retry: { delaysMs: [500], jitterPercent: 0 },
  providers: { relay: relaySettings(relay) },
  ...more,
});

test("an attempt under way ends before the gateway does", async () => {
  relay.setFault({ kind: "slow", delayMs: 150 });
  const gateway = await scene.start(settings());
  const job = await scene.push(mail());
  await until("the attempt began", () => scene.events.some(({ type }) => type === "attempt.started"));
  await gateway.stop();
  expect((await scene.end(job)).kind).toBe("relayed");
  expect(relay.accepted).toHaveLength(1);
});

test("an attempt that hangs before its content is handed back, and the next gateway takes it up", async () => {
  relay.setFault({ kind: "silence", at: "mail" });
  const gateway = await scene.start(settings());
  const job = await scene.push(mail());
  await until("the attempt began", () => scene.events.some(({ type }) => type === "attempt.started"));
  const startedAt = Date.now();
  await gateway.stop();
  expect(Date.now() - startedAt).toBeLessThan(1_500);
  relay.setFault(null);
  await scene.start(settings());
  expect(await scene.relayed(job)).toMatchObject({ possibleDuplicate: false, attemptCount: 2 });
  expect(relay.accepted).toHaveLength(1);
});

test("an attempt that hangs after its content is recorded as uncertain before the gateway ends", async () => {
  relay.setFault({ kind: "silence", at: "dot", accepted: true });
  const gateway = await scene.start(settings());
  const job = await scene.push(mail());
  await until("the content is out", () => relay.accepted.length === 1);
  await gateway.stop();
  relay.setFault(null);
  await scene.start(settings());
  expect(await scene.relayed(job)).toMatchObject({ possibleDuplicate: true, attemptCount: 2 });
});

test("mail that finds all providers down flows again once one is back, without a restart", async () => {
  const other = await startRelay();
  relay.setFault({ kind: "refuse" });
  other.setFault({ kind: "refuse" });
  await scene.start(
    settings({
      breaker: { openMs: 300, openMaxMs: 600 },
      providers: { first: relaySettings(relay, { priority: 1 }), second: relaySettings(other, { priority: 2 }) },
    }),
  );
  const jobs = await Promise.all(Array.from({ length: 30 }, () => scene.push(mail())));
  await until("all wait", async () => (await scene.queue.counts())["delayed"] === 30);
  other.setFault(null);
  const records = await Promise.all(jobs.map((job) => scene.relayed(job)));
  expect(new Set(records.map(({ provider }) => provider))).toEqual(new Set(["second"]));
  expect(other.accepted).toHaveLength(30);
  await other.close();
});
