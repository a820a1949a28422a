import { afterAll, beforeAll, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";

let scene: Scene;
let relay: RelayServer;

beforeAll(async () => {
  scene = await Scene.open();
  relay = await startRelay();
  await scene.start({ delivery: { concurrency: 2 }, providers: { relay: relaySettings(relay) } });
});

afterAll(async () => {
  await scene.close();
  await relay.close();
});

test("messages that wait hold no worker: a new one passes five hundred deferred ones", async () => {
  relay.setFault({ kind: "reply", at: "rcpt", text: "450 4.2.0 Greylisted", recipient: "^slow@" });
  for (let count = 0; count < 500; count += 1) await scene.push(mail({ to: "slow@example.org" }));
  await until("all wait", async () => (await scene.queue.counts())["delayed"] === 500, 30_000);
  const record = await scene.relayed(await scene.push(mail()), 5_000);
  expect(record).toMatchObject({ status: "relayed", attemptCount: 1 });
  expect(await scene.queue.counts()).toMatchObject({ delayed: 500, active: 0 });
}, 60_000);
