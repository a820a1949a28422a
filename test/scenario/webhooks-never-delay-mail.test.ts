import { afterEach, beforeEach, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { startReceiver } from "../unit/events/receiver.ts";
import type { Receiver } from "../unit/events/receiver.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";

const KEY = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const COUNT = 60;

let scene: Scene;
let relay: RelayServer;
let receiver: Receiver;

beforeEach(async () => {
  scene = await Scene.open();
  relay = await startRelay();
  receiver = await startReceiver();
});

afterEach(async () => {
  await scene.close();
  await relay.close();
  await receiver.close();
});

test("mail flows past an endpoint that never answers", async () => {
  receiver.otherwise = "silence";
  const timeoutMs = 60_000;
  const gateway = await scene.start({
    providers: { relay: relaySettings(relay) },
    webhooks: { app: { url: receiver.url, secret: KEY, timeoutMs } },
  });
  const startedAt = Date.now();
  const jobs = await Promise.all(Array.from({ length: COUNT }, () => scene.push(mail())));
  const records = await Promise.all(jobs.map((job) => scene.relayed(job)));
  // Far from what one answer of the endpoint may take: nobody waited for any.
  expect(Date.now() - startedAt).toBeLessThan(timeoutMs / 4);
  expect(records).toHaveLength(COUNT);
  await until("requests hang", () => receiver.requests.length === 20);
  expect(scene.logged.join("\n")).not.toContain("webhooks.lost");

  const stoppedAt = Date.now();
  await gateway.stop();
  expect(Date.now() - stoppedAt).toBeLessThan(10_000);

  receiver.otherwise = 204;
  receiver.requests.length = 0;
  await scene.start({
    providers: { relay: relaySettings(relay) },
    webhooks: { app: { url: receiver.url, secret: KEY } },
  });
  const ids = (): number => new Set(receiver.requests.map(({ headers }) => headers["webhook-id"])).size;
  await until("the next gateway tells every event", () => ids() === COUNT);
});
