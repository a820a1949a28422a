import { afterEach, beforeEach, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { startReceiver } from "../unit/events/receiver.ts";
import type { Receiver } from "../unit/events/receiver.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";
import { severable } from "./severable-redis.ts";
import type { SeverableRedis } from "./severable-redis.ts";

const KEY = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

let scene: Scene;
let relay: RelayServer;
let receiver: Receiver;
let way: SeverableRedis;

beforeEach(async () => {
  scene = await Scene.open();
  relay = await startRelay();
  receiver = await startReceiver();
  way = await severable(scene.redisUrl);
});

afterEach(async () => {
  way.mend();
  await scene.close();
  await relay.close();
  await receiver.close();
  await way.close();
});

const settings = (): { [key: string]: unknown } => ({
  redis: { url: way.url },
  delivery: { shutdownMs: 1_000 },
  providers: { relay: relaySettings(relay) },
  webhooks: { app: { url: receiver.url, secret: KEY } },
});

test("an event that comes while Redis is away is told when it is back", async () => {
  const gateway = await scene.start(settings());
  const job = await scene.push(mail());
  const record = await scene.relayed(job);
  await until("it was told", () => receiver.requests.length === 1);
  way.cut();
  gateway.events.emit({
    type: "message.bounced",
    id: record.id,
    jobId: job,
    tags: [],
    tenant: null,
    record: { ...record, status: "bounced" },
  });
  way.mend();
  await until("it is told", () => receiver.requests.some(({ body }) => body.includes("message.bounced")));
  expect(scene.logged.join("\n")).not.toContain("webhooks.lost");
});

test("a gateway that must stop while Redis is away says what it could not queue", async () => {
  const gateway = await scene.start(settings());
  const job = await scene.push(mail());
  const record = await scene.relayed(job);
  await until("it was told", () => receiver.requests.length === 1);
  way.cut();
  for (let count = 0; count < 3; count += 1) {
    gateway.events.emit({
      type: "message.bounced",
      id: record.id,
      jobId: job,
      tags: [],
      tenant: null,
      record: { ...record, status: "bounced" },
    });
  }
  const startedAt = Date.now();
  await gateway.stop();
  expect(Date.now() - startedAt).toBeLessThan(9_000);
  expect(scene.logged.join("\n")).toContain("3 webhook deliveries lost: the gateway stopped before Redis took them");
});

test("events that Redis refuses are counted and logged, and the mail is relayed", async () => {
  await scene.start(settings());
  await scene.relayed(await scene.push(mail()));
  await until("it was told", () => receiver.requests.length === 1);
  // A counter that BullMQ cannot count on: as when Redis is full, but for this queue alone.
  await scene.redis.set("bull:mail-webhooks-app:id", "no number");
  expect((await scene.relayed(await scene.push(mail()))).status).toBe("relayed");
  await until("the loss is logged", () => scene.logged.some((line) => line.includes('"lostCount":1')));
});
