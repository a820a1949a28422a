import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { createLimiter } from "../../../../src/gate/limits/create-limiter.ts";
import { LearningLimiter } from "../../../../src/gate/limits/learning-limiter.ts";
import { RedisLimiter } from "../../../../src/gate/limits/redis-limiter.ts";
import { World, granted, openStore, refused } from "./world.ts";

let store: Awaited<ReturnType<typeof openStore>>;
let world: World;

beforeAll(async () => {
  store = await openStore();
});
beforeEach(() => {
  world = new World(store.redis, {});
});
afterEach(() => world.close());
afterAll(() => store.close());

/** Scripts that were run meanwhile. One that the store does not know yet counts twice. */
async function commandsOf(act: () => Promise<unknown>): Promise<number> {
  const sent = vi.spyOn(store.redis, "sendCommand");
  try {
    await act();
    return sent.mock.calls.filter(([command]) => command.name.startsWith("eval")).length;
  } finally {
    sent.mockRestore();
  }
}

const learner = (name: string): LearningLimiter => new LearningLimiter(world.worker(name), () => world.now);

test("without limits Redis is not asked for each message, and is told of them together", async () => {
  const limiter = learner("one");
  (await granted(limiter, { recipientCount: 2 })).end(true);
  await limiter.report();
  const send = async (): Promise<void> => {
    for (let i = 0; i < 100; i += 1) (await granted(limiter, { recipientCount: 2 })).end(i % 10 > 0);
  };
  expect(await commandsOf(send)).toBe(0);
  expect(await commandsOf(() => limiter.report())).toBe(1);
  expect(await commandsOf(() => limiter.report())).toBe(0);
  expect(await world.usage()).toMatchObject({ day: { used: 182 }, month: { used: 91 }, minute: { limit: null } });
  await limiter.close();
});

test("a provider that finds us too fast has half of what the fleet sent in the last minute as its limit", async () => {
  const [one, two] = [learner("one"), learner("two")];
  for (let i = 0; i < 20; i += 1) await granted(one);
  for (let i = 0; i < 10; i += 1) await granted(two);
  await one.report();
  two.tooFast("452 4.3.1 slow down");
  await vi.waitFor(() => expect(world.events).toHaveLength(1));
  expect(world.events).toMatchObject([{ type: "limit.changed", perMinute: 15, reason: "452 4.3.1 slow down" }]);
  // The one was told nothing, and hears of it when it reports.
  await granted(one);
  await one.report();
  for (let i = 0; i < 15; i += 1) await granted(one);
  expect(await refused(two)).toMatchObject({ cause: "rate", reason: "15 messages a minute are used up" });
  await Promise.all([one.close(), two.close()]);
});

test("the limit grows while nothing is said, and is gone after ten minutes", async () => {
  const limiter = learner("one");
  for (let i = 0; i < 20; i += 1) await granted(limiter);
  limiter.tooFast("");
  await vi.waitFor(() => expect(world.events).toHaveLength(1));
  world.now += 5 * 60_000;
  await limiter.report();
  for (let i = 0; i < 15; i += 1) await granted(limiter);
  await refused(limiter);
  world.now += 5 * 60_000;
  await limiter.report();
  const send = async (): Promise<void> => {
    for (let i = 0; i < 100; i += 1) await granted(limiter);
  };
  expect(await commandsOf(send)).toBe(0);
  await limiter.close();
});

test("any limit that is set is kept in Redis, none needs no asking", () => {
  const options = { redis: store.redis, provider: "p", worker: "w", clock: Date.now, random: Math.random } as const;
  const rest = { emit: () => undefined, attemptTimeoutMs: 60_000, idleMs: 0 };
  const limiterOf = (settings: Partial<World["settings"]>): unknown =>
    createLimiter({ ...options, ...rest, settings: { ...world.settings, ...settings } });
  expect(limiterOf({})).toBeInstanceOf(LearningLimiter);
  expect(limiterOf({ burst: 3 })).toBeInstanceOf(LearningLimiter);
  for (const limit of ["perMinute", "recipientsPerDay", "messagesPerMonth", "connections"] as const) {
    expect(limiterOf({ [limit]: 1 })).toBeInstanceOf(RedisLimiter);
  }
});
