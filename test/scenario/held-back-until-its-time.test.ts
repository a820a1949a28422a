import { afterEach, beforeEach, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";

let scene: Scene;
let relay: RelayServer;

beforeEach(async () => {
  scene = await Scene.open();
  relay = await startRelay();
  await scene.start({
    retry: { delaysMs: [200] },
    classes: { bulk: { giveUpAfterMs: 2_000 } },
    providers: { relay: relaySettings(relay) },
  });
});

afterEach(async () => {
  await scene.close();
  await relay.close();
});

test("of 200 messages with the same sendAt none goes before it, one within a second, and all as fast as any 200", async () => {
  // What the same 200 take without waiting, on this machine as it is now: the wait must not add to that.
  const startedAt = Date.now();
  const atOnce = await Promise.all(Array.from({ length: 200 }, () => scene.push(mail())));
  await Promise.all(atOnce.map((id) => scene.relayed(id)));
  const tookMs = Date.now() - startedAt;
  relay.clear();

  const sendAt = Date.now() + Math.max(4_000, 2 * tookMs);
  const ids = await Promise.all(
    Array.from({ length: 200 }, () => scene.push(mail({ sendAt: new Date(sendAt).toISOString() }))),
  );
  await until("all wait", async () => (await scene.queue.counts())["delayed"] === 200);
  expect(Date.now()).toBeLessThan(sendAt);
  await Promise.all(ids.map((id) => scene.relayed(id)));
  const latenesses = relay.accepted.map(({ acceptedAt }) => acceptedAt - sendAt);
  expect(latenesses).toHaveLength(200);
  expect(Math.min(...latenesses)).toBeGreaterThanOrEqual(0);
  expect(Math.min(...latenesses)).toBeLessThan(1_000);
  expect(Math.max(...latenesses)).toBeLessThan(Math.max(1_000, 2 * tookMs));
});

test("expiresAt and giveUpAfterMs end messages that nobody takes within a second of their time", async () => {
  relay.setFault({ kind: "reply", at: "rcpt", text: "450 4.2.0 Greylisted" });
  const expiresAt = Date.now() + 3_000;
  const dated = Array.from({ length: 50 }, () => scene.push(mail({ expiresAt: new Date(expiresAt).toISOString() })));
  const old = Array.from({ length: 50 }, () => scene.push(mail({ class: "bulk" })));
  const ids = await Promise.all([...dated, ...old]);
  const pushedAt = Date.now();
  await until("all are over", async () => ((await scene.queue.counts())["failed"] ?? 0) === 100);
  for (const [index, id] of ids.entries()) {
    expect(await scene.end(id)).toMatchObject({ kind: "failed", reason: expect.stringMatching(/^expired: /) });
    const endedAt = Number(await scene.redis.hget(`bull:mail:${id}`, "finishedOn"));
    const dueAt = index < 50 ? expiresAt : Number(await scene.redis.hget(`bull:mail:${id}`, "timestamp")) + 2_000;
    expect(endedAt - dueAt).toBeGreaterThanOrEqual(0);
    expect(endedAt - dueAt).toBeLessThan(1_000);
  }
  expect(pushedAt).toBeLessThan(expiresAt);
  expect(relay.accepted).toHaveLength(0);
});
