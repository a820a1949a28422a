import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { EventBus } from "../../../src/events/bus.ts";
import type { EndpointSettings } from "../../../src/events/webhooks/endpoint.ts";
import { startWebhooks } from "../../../src/events/webhooks/start.ts";
import type { Webhooks } from "../../../src/events/webhooks/start.ts";
import { WebhookOutbox } from "../../../src/queue/webhook-outbox.ts";
import type { WebhookFailure } from "../../../src/queue/webhook-outbox.ts";
import { WebhookQueue } from "../../../src/queue/webhook-queue.ts";
import { closeRedis, connectRedis } from "../../../src/redis/connection.ts";
import type { RedisClient } from "../../../src/redis/connection.ts";
import { startEmbeddedStore } from "../../../src/redis/embedded.ts";
import type { EmbeddedStore } from "../../../src/redis/embedded.ts";
import { startReceiver } from "./receiver.ts";
import type { Receiver } from "./receiver.ts";
import { KEY, endpoint, event } from "./samples.ts";

const settings = { name: "mail", prefix: "bull" };
let folder: string;
let store: EmbeddedStore;
let redis: RedisClient;
let receiver: Receiver;
let failures: WebhookFailure[];
let running: Webhooks[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mailover-webhooks-"));
  store = await startEmbeddedStore({ dataDir: folder, log: () => undefined });
  redis = connectRedis({ url: store.url }, { use: "blocking", connectionName: "test", onError: () => undefined });
});

afterAll(async () => {
  await closeRedis(redis);
  await store.stop();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  await redis.flushall();
  receiver = await startReceiver();
  failures = [];
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((webhooks) => webhooks.stop()));
  await receiver.close();
});

async function start(
  endpoints: Record<string, EndpointSettings>,
  attemptCount = 5,
  firstDelayMs = 20,
): Promise<EventBus> {
  const events = new EventBus((error) => {
    throw error;
  });
  const webhooks = await startWebhooks({
    endpoints,
    events,
    open: (name, deliver) =>
      new WebhookOutbox(settings, name, {
        connection: redis,
        name: "test",
        deliver,
        onFailed: (failure) => failures.push(failure),
        onError: () => undefined,
        retry: { attemptCount, firstDelayMs },
      }),
    onLost: () => undefined,
    clock: Date.now,
  });
  running.push(webhooks);
  return events;
}

async function withQueue<T>(name: string, act: (queue: WebhookQueue) => Promise<T>): Promise<T> {
  const queue = new WebhookQueue(settings, name, redis);
  return act(queue).finally(() => queue.close());
}

const until = (holds: () => boolean | Promise<boolean>) => vi.waitUntil(holds, { timeout: 15_000, interval: 20 });
const counts = (name = "app") => withQueue(name, (queue) => queue.counts());

describe("a delivery that fails", () => {
  test("is tried again until it is accepted: the same id and body, signed anew", async () => {
    receiver.answers.push(500, "drop", 503);
    const events = await start({ app: endpoint(receiver.url) });
    events.emit(event());
    await until(() => receiver.requests.length === 4);
    const ids = receiver.requests.map(({ headers }) => headers["webhook-id"]);
    expect(new Set(ids).size).toBe(1);
    expect(new Set(receiver.requests.map(({ body }) => body)).size).toBe(1);
    for (const { body, headers } of receiver.requests) {
      expect(new Webhook(KEY).verify(body, headers as Record<string, string>)).toMatchObject({
        type: "message.bounced",
      });
    }
    expect(failures.map(({ attempt, givenUp, reason }) => [attempt, givenUp, reason])).toEqual([
      [1, false, "answered 500"],
      [2, false, "cannot be reached: UND_ERR_SOCKET"],
      [3, false, "answered 503"],
    ]);
    await until(async () => {
      const { waiting, retrying, failed } = await counts();
      return waiting + retrying + failed === 0;
    });
  });

  test("too often is given up, kept, and replayed from the first try on", async () => {
    receiver.answers.push(500, 500, 500);
    const events = await start({ app: endpoint(receiver.url) }, 2);
    events.emit(event());
    await until(async () => (await counts()).failed === 1);
    expect(failures.at(-1)).toMatchObject({ endpoint: "app", id: "m-1", attempt: 2, givenUp: true });
    const [failed] = await withQueue("app", (queue) => queue.failed(10));
    expect(failed).toMatchObject({ type: "message.bounced", id: "m-1", attemptCount: 2, reason: "answered 500" });
    expect(failed?.eventId).toBe(receiver.requests[0]?.headers["webhook-id"]);

    expect(await withQueue("app", (queue) => queue.replay(Date.now() + 1_000))).toBe(0);
    expect(await withQueue("app", (queue) => queue.replay(Date.now() - 60_000))).toBe(1);
    await until(() => receiver.requests.length === 4);
    expect(receiver.requests[3]?.headers["webhook-id"]).toBe(failed?.eventId);
    await until(async () => (await counts()).failed === 0);
  });

  test("and waits for long is tried at once by a replay", async () => {
    receiver.answers.push(500);
    const events = await start({ app: endpoint(receiver.url) }, 5, 3_600_000);
    events.emit(event());
    await until(async () => (await counts()).retrying === 1);
    expect(await withQueue("app", (queue) => queue.replay(-Infinity))).toBe(1);
    await until(() => receiver.requests.length === 2);
  });

  test("leaves no secret and no stack in Redis", async () => {
    receiver.otherwise = 500;
    const events = await start({ app: endpoint(receiver.url) }, 1);
    events.emit(event());
    await until(async () => (await counts()).failed === 1);
    const keys = await redis.keys("bull:mail-webhooks-app:evt_*");
    expect(keys).toHaveLength(1);
    const kept = JSON.stringify(await redis.hgetall(keys[0] ?? ""));
    expect(kept).toContain("answered 500");
    for (const hidden of [KEY, "url-token", "127.0.0.1", "does not like", "    at "])
      expect(kept).not.toContain(hidden);
  });
});

test("an endpoint that never answers holds up nobody else's events", async () => {
  const silent = await startReceiver();
  silent.otherwise = "silence";
  const events = await start({
    app: endpoint(receiver.url),
    silent: endpoint(silent.url, { timeoutMs: 60_000 }),
  });
  for (let count = 0; count < 50; count += 1) events.emit(event("message.bounced", { attemptCount: count }));
  await until(() => receiver.requests.length === 50);
  expect(silent.requests.length).toBeLessThanOrEqual(20);
  await Promise.all(running.splice(0).map((webhooks) => webhooks.stop()));
  await silent.close();
});

test("a delivery under way when the gateway stops is made by the next one, and no try is counted", async () => {
  receiver.answers.push("silence");
  const events = await start({ app: endpoint(receiver.url, { timeoutMs: 60_000 }) }, 1);
  events.emit(event());
  await until(() => receiver.requests.length === 1);
  const startedAt = Date.now();
  await running.splice(0)[0]?.stop();
  expect(Date.now() - startedAt).toBeLessThan(3_500);
  expect(failures).toEqual([]);
  expect((await counts()).failed).toBe(0);
  await start({ app: endpoint(receiver.url) }, 1);
  await until(() => receiver.requests.length === 2);
  expect(receiver.requests[1]?.headers["webhook-id"]).toBe(receiver.requests[0]?.headers["webhook-id"]);
});
