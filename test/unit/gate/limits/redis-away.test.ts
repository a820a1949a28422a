import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LearningLimiter } from "../../../../src/gate/limits/learning-limiter.ts";
import { closeRedis, connectRedis } from "../../../../src/redis/connection.ts";
import type { RedisClient } from "../../../../src/redis/connection.ts";
import { severable } from "../../../scenario/severable-redis.ts";
import type { SeverableRedis } from "../../../scenario/severable-redis.ts";
import { World, granted, openStore, refused } from "./world.ts";

let store: Awaited<ReturnType<typeof openStore>>;
let way: SeverableRedis;
let redis: RedisClient;
let world: World;

beforeEach(async () => {
  store = await openStore();
  way = await severable(store.url);
  redis = connectRedis({ url: way.url }, { use: "commands", connectionName: "test", onError: () => undefined });
});

afterEach(async () => {
  await world.close();
  await closeRedis(redis);
  await way.close();
  await store.close();
});

test(
  "while Redis is away a message comes again in a second, and an end is told when it is back",
  { timeout: 60_000 },
  async () => {
    world = new World(redis, { perMinute: 1, connections: 1, recipientsPerDay: 10 });
    const limiter = world.worker();
    const attempt = await granted(limiter, { recipientCount: 10 });
    way.cut();
    attempt.end(false);
    const later = await refused(limiter, { id: "meanwhile" });
    expect(later).toMatchObject({ cause: "store", booked: false, at: world.now + 1_000 });
    limiter.release("meanwhile");
    limiter.tooFast("too fast");
    await limiter.renew();
    way.mend();
    await vi.waitFor(async () => expect((await world.usage()).day.used).toBe(0), { timeout: 30_000, interval: 250 });
    await granted(limiter, { recipientCount: 10 });
  },
);

test("a provider without limits gets its mail, whether Redis is there or not", { timeout: 60_000 }, async () => {
  world = new World(redis, {});
  const limiter = new LearningLimiter(world.worker(), () => world.now);
  (await granted(limiter)).end(true);
  limiter.tooFast("too fast");
  await vi.waitFor(() => expect(world.events).toHaveLength(1), { timeout: 20_000 });
  way.cut();
  (await granted(limiter)).end(true);
  await limiter.report();
  limiter.tooFast("too fast");
  way.mend();
  await vi.waitFor(
    async () => {
      await limiter.report();
      expect((await world.usage()).month.used).toBe(2);
    },
    { timeout: 30_000, interval: 250 },
  );
  await limiter.close();
});
