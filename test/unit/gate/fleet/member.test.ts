import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closeRedis, connectRedis } from "../../../../src/redis/connection.ts";
import type { RedisClient } from "../../../../src/redis/connection.ts";
import { startEmbeddedStore } from "../../../../src/redis/embedded.ts";
import type { EmbeddedStore } from "../../../../src/redis/embedded.ts";
import { temporaryFolder } from "../../redis/real-server.ts";
import { AUTH, BAD, GOOD, PROVIDER, SETTINGS, World } from "./world.ts";
import type { SimulatedWorker } from "./world.ts";

let store: EmbeddedStore;
let redis: RedisClient;
let folder: ReturnType<typeof temporaryFolder>;
let worldCount = 0;

beforeAll(async () => {
  folder = temporaryFolder();
  store = await startEmbeddedStore({ dataDir: folder.path, log: () => undefined });
  redis = connectRedis({ url: store.url }, { use: "commands", connectionName: "test", onError: () => undefined });
});

afterAll(async () => {
  await closeRedis(redis);
  await store.stop();
  folder.remove();
});

function newWorld(settings: Partial<typeof SETTINGS> = {}): World {
  worldCount += 1;
  return new World(redis, `world${worldCount}`, settings);
}

/** A fleet of so many workers that is open, found so by its first two. */
async function openWorld(count: number, settings: Partial<typeof SETTINGS> = {}): Promise<World> {
  const world = newWorld(settings);
  const [first, second] = await world.add(count);
  first?.vote();
  second?.vote();
  await world.beatAll();
  expect((await world.look()).state.kind).toBe("open");
  await world.beatAll();
  return world;
}

/** Until the open time is over and one worker probes. */
async function untilProbed(world: World): Promise<SimulatedWorker> {
  const { state } = await world.look();
  await world.pass(Math.max(0, state.untilAt - world.now));
  return proberOf(world);
}

function proberOf(world: World): SimulatedWorker {
  const probers = world.live.filter(({ isProbing }) => isProbing);
  expect(probers).toHaveLength(1);
  return probers[0]!;
}

async function probe(world: World, result: typeof GOOD): Promise<void> {
  const prober = await untilProbed(world);
  await prober.endProbe(result);
  await world.beatAll();
  await world.beatAll();
}

const kinds = (world: World): string[] => world.live.map(({ seat }) => seat.state.kind);

describe.concurrent("votes", () => {
  test("of a worker alone, one opens", async () => {
    const world = newWorld();
    const [worker] = await world.add(1);
    worker!.vote({ reason: "connect: refused", remedy: "Look at the firewall" });
    await worker!.beat();
    expect(worker!.seat.state).toEqual({
      kind: "open",
      reason: "connect: refused",
      remedy: "Look at the firewall",
      untilAt: world.now + 1_000,
    });
    expect(worker!.story).toBe("closed open");
  });

  test("of two workers, one opens for both", async () => {
    const world = newWorld();
    const [first] = await world.add(2);
    first!.vote();
    await world.beatAll();
    expect(kinds(world)).toEqual(["open", "open"]);
  });

  test("of three workers, a sick one opens nothing for the others, however long it is sick", async () => {
    const world = newWorld();
    const [sick] = await world.add(3);
    sick!.vote();
    await world.pass(60_000);
    expect(kinds(world)).toEqual(["closed", "closed", "closed"]);
    expect((await world.look()).votes).toMatchObject([{ worker: sick!.member.id, reason: "421 busy" }]);
  });

  test("of three workers, two open for all, and are named in the reason", async () => {
    const world = newWorld();
    const [first, second, third] = await world.add(3);
    first!.vote({ reason: "421 busy", remedy: "Wait" });
    await first!.beat();
    world.now += 10;
    second!.vote({ reason: "connect: refused" });
    await second!.beat();
    await third!.beat();
    expect(third!.seat.state).toMatchObject({
      kind: "open",
      reason: "2 of 3 workers: connect: refused",
      remedy: "Wait",
    });
  });

  test("one that was taken back does not count", async () => {
    const world = newWorld();
    const [first, second] = await world.add(3);
    first!.vote();
    await first!.beat();
    first!.vote(null);
    await first!.beat();
    second!.vote();
    await world.beatAll();
    expect(kinds(world)).toEqual(["closed", "closed", "closed"]);
  });

  test("those of a worker that is gone do not count, nor is it counted itself", async () => {
    const world = newWorld();
    const [first, second, third, fourth] = await world.add(4);
    first!.vote();
    await first!.beat();
    first!.die();
    await world.pass(5_000);
    second!.vote();
    await world.beatAll();
    expect(kinds(world)).toEqual(["closed", "closed", "closed"]);
    // Of the two that are left, one is enough, and it voted long ago.
    third!.die();
    await world.pass(5_000);
    await fourth!.beat();
    expect(kinds(world)).toEqual(["open", "open"]);
  });

  test("a worker that leaves takes its vote with it at once", async () => {
    const world = newWorld();
    const [first, second] = await world.add(4);
    first!.vote();
    await first!.beat();
    await first!.member.leave();
    first!.die();
    second!.vote();
    await world.beatAll();
    expect(kinds(world)).toEqual(["closed", "closed", "closed"]);
  });

  test("a worker that was thought gone counts again, with its vote", async () => {
    const world = newWorld();
    const [first, second] = await world.add(3);
    first!.vote();
    await first!.beat();
    first!.isAlive = false;
    await world.pass(6_000);
    first!.isAlive = true;
    second!.vote();
    await world.beatAll();
    await world.beatAll();
    expect(kinds(world)).toEqual(["open", "open", "open"]);
  });

  test("a number as quorum is that number", async () => {
    const world = newWorld({ quorum: 3 });
    const [first, second, third] = await world.add(5);
    first!.vote();
    second!.vote();
    await world.pass(2_000);
    expect(kinds(world)).toEqual(["closed", "closed", "closed", "closed", "closed"]);
    third!.vote();
    await world.beatAll();
    await world.beatAll();
    expect(new Set(kinds(world))).toEqual(new Set(["open"]));
  });

  test("whatever stands in a reason, it is told and cut", async () => {
    const world = newWorld();
    const [worker] = await world.add(1);
    worker!.vote({ reason: `"\u0000\\ \ud800 émoji ${"😀".repeat(1_000)}`, remedy: "\udfff'\n" });
    await worker!.beat();
    const { state } = worker!.seat;
    expect(state).toMatchObject({ kind: "open", remedy: "\ufffd'\n" });
    const reason = state.kind === "open" ? state.reason : "";
    expect(reason.startsWith('"\u0000\\ \ufffd émoji 😀😀')).toBe(true);
    expect(reason.length).toBeLessThan(600);
  });
});

describe.concurrent("open times", () => {
  test("grow with each failed probe up to the longest, as a breaker's do", async () => {
    const world = await openWorld(3);
    const openMs: number[] = [];
    for (let probes = 0; probes < 6; probes += 1) {
      await probe(world, BAD);
      openMs.push((await world.look()).state.untilAt - world.now);
    }
    expect(openMs).toEqual([2_000, 4_000, 8_000, 8_000, 8_000, 8_000]);
    expect(world.live[0]!.seat.state).toMatchObject({ reason: "probe failed: connect: refused" });
  });

  test("after a refused login are as long as people need", async () => {
    const world = await openWorld(3);
    await probe(world, AUTH);
    expect(world.live[0]!.seat.state).toMatchObject({
      reason: "probe failed: auth: 535 5.7.3",
      remedy: "Renew the secret",
      untilAt: world.now + 60_000,
    });
  });

  test("grow when it fails again on its way back", async () => {
    const world = await openWorld(1);
    await probe(world, GOOD);
    world.live[0]!.vote();
    await world.beatAll();
    expect((await world.look()).state).toMatchObject({ kind: "open", untilAt: world.now + 2_000 });
  });

  test.each([
    ["grow when it fails again soon after it came back", 10_500, 2_000],
    ["begin anew after a good spell", 11_500, 1_000],
  ])("%s", async (_rule, afterMs, wantMs) => {
    const world = await openWorld(1);
    await probe(world, GOOD);
    await world.pass(3_000);
    expect(kinds(world)).toEqual(["closed"]);
    world.now += afterMs;
    world.live[0]!.vote();
    await world.beatAll();
    expect((await world.look()).state).toMatchObject({ kind: "open", untilAt: world.now + wantMs });
  });

  test("are as long as the longest vote asks for", async () => {
    const world = newWorld();
    const [first, second] = await world.add(3);
    first!.vote({ atLeastMs: 30_000 });
    second!.vote({ atLeastMs: 20_000 });
    await world.beatAll();
    expect((await world.look()).state).toMatchObject({ kind: "open", untilAt: world.now + 30_000 });
  });

  test("become longer by a vote that comes later and asks for more, once", async () => {
    const world = await openWorld(3);
    const third = world.live[2]!;
    world.now += 500;
    third.vote({ atLeastMs: 30_000 });
    await third.beat();
    const untilAt = world.now + 30_000;
    await world.pass(5_000);
    expect((await world.look()).state).toMatchObject({ kind: "open", untilAt });
    expect(third.story).toBe("closed open open");
  });

  test.each([
    [0, 800],
    [0.999_999, 1_200],
  ])("are jittered, by chance %d to %d ms", async (chance, wantMs) => {
    const world = newWorld({ breaker: { ...SETTINGS.breaker, jitterPercent: 20 } });
    const [worker] = await world.add(1, () => chance);
    worker!.vote();
    await worker!.beat();
    expect((await world.look()).state.untilAt - world.now).toBe(wantMs);
  });

  test("are the same instant for all, each by its own clock", async () => {
    const world = await openWorld(5);
    const { state } = await world.look();
    for (const { seat, skewMs } of world.live) {
      expect(Math.abs((seat.state.kind === "open" ? seat.state.untilAt : 0) - (state.untilAt + skewMs))).toBeLessThan(
        3,
      );
    }
  });
});

describe.concurrent("probes", () => {
  test("are made by one worker, once the time is over and not before", async () => {
    const world = await openWorld(4);
    await world.pass(999);
    expect(world.live.filter(({ isProbing }) => isProbing)).toEqual([]);
    await world.pass(1);
    proberOf(world);
    await world.pass(1_500);
    expect(world.live.reduce((sum, { probeCount }) => sum + probeCount, 0)).toBe(1);
  });

  test("are made by another one where the first died, when its lease is over", async () => {
    const world = await openWorld(4);
    const dead = await untilProbed(world);
    dead.die();
    await world.pass(6_999);
    expect(world.live.filter(({ isProbing }) => isProbing)).toEqual([]);
    await world.pass(1);
    await proberOf(world).endProbe(GOOD);
    await world.beatAll();
    await world.beatAll();
    expect(kinds(world)).toEqual(["ramp", "ramp", "ramp"]);
  });

  test("are made by another one at once where the first leaves", async () => {
    const world = await openWorld(4);
    const leaving = await untilProbed(world);
    await leaving.member.leave();
    leaving.die();
    await world.beatAll();
    proberOf(world);
  });

  test("are made at once by the first that comes to a fleet without workers", async () => {
    const world = await openWorld(2);
    for (const worker of world.live) {
      await worker.member.leave();
      worker.die();
    }
    const { state } = await world.look();
    expect(state.untilAt).toBeGreaterThan(world.now);
    const [first] = await world.add(2);
    expect(proberOf(world)).toBe(first);
  });

  test("that come to an end after their lease was another's change nothing", async () => {
    const world = await openWorld(4);
    const slow = await untilProbed(world);
    slow.isAlive = false;
    await world.pass(7_000);
    const prober = proberOf(world);
    await prober.endProbe(BAD);
    await prober.beat();
    await slow.endProbe(GOOD);
    slow.isAlive = true;
    await world.beatAll();
    expect(new Set(kinds(world))).toEqual(new Set(["open"]));
    expect((await world.look()).state).toMatchObject({ reason: "probe failed: connect: refused" });
  });

  test("that outlast their lease are not asked for a second time", async () => {
    const world = await openWorld(1);
    const slow = await untilProbed(world);
    await world.pass(20_000);
    expect(slow.probeCount).toBe(1);
    await slow.endProbe(GOOD);
    await world.beatAll();
    expect(kinds(world)).toEqual(["ramp"]);
  });

  test("that throw are probes that failed", async () => {
    const world = newWorld();
    const [worker] = await world.add(1);
    const broken = worker!.member.join("broken", {
      probe: () => Promise.reject(new Error("a defect")),
      onChange: () => {
        throw new Error("another defect");
      },
      onPause: () => undefined,
    });
    broken.vote({ reason: "421", remedy: null, atLeastMs: null });
    await world.beatAll();
    await world.pass(1_000);
    await new Promise(setImmediate);
    await world.beatAll();
    expect(broken.state).toMatchObject({ kind: "open", reason: "probe failed: a defect" });
    expect(worker!.errors.map(({ message }) => message)).toEqual(["another defect", "another defect"]);
  });
});

describe.concurrent("the way back", () => {
  test("begins with a good probe for all, and ends with the last step", async () => {
    const world = await openWorld(3);
    await probe(world, GOOD);
    const startedAt = (await world.look()).state.startedAt;
    for (const { seat, skewMs } of world.live) {
      expect(seat.state.kind).toBe("ramp");
      const own = seat.state.kind === "ramp" ? seat.state.startedAt : 0;
      expect(Math.abs(own - (startedAt + skewMs))).toBeLessThan(3);
    }
    await world.pass(startedAt + 2_999 - world.now);
    expect(kinds(world)).toEqual(["ramp", "ramp", "ramp"]);
    await world.pass(1);
    await world.beatAll();
    expect(kinds(world)).toEqual(["closed", "closed", "closed"]);
    expect(world.live.map(({ story }) => story)).toEqual(Array(3).fill("closed open ramp closed"));
  });

  test("voids the votes from before it, also those of workers that have not heard of it yet", async () => {
    const world = await openWorld(3);
    const prober = await untilProbed(world);
    await prober.endProbe(GOOD);
    await prober.beat();
    const [first, second] = world.live.filter((worker) => worker !== prober);
    first!.vote({ reason: "of before" });
    second!.vote({ reason: "of before" });
    await world.beatAll();
    await world.pass(4_000);
    expect(kinds(world)).toEqual(["closed", "closed", "closed"]);
    expect((await world.look()).votes).toEqual([]);
  });

  test("ends where enough workers find the provider at fault again", async () => {
    const world = await openWorld(3);
    await probe(world, GOOD);
    const [first, second] = world.live;
    first!.vote();
    await world.beatAll();
    expect(kinds(world)).toEqual(["ramp", "ramp", "ramp"]);
    second!.vote();
    await world.beatAll();
    await world.beatAll();
    expect(kinds(world)).toEqual(["open", "open", "open"]);
  });

  test("is told also to a worker that slept through all of it", async () => {
    const world = await openWorld(3);
    const sleeper = world.live.find(({ isProbing }) => !isProbing)!;
    sleeper.isAlive = false;
    await probe(world, GOOD);
    await world.pass(4_000);
    sleeper.isAlive = true;
    await sleeper.beat();
    expect(sleeper.story).toBe("closed open ramp closed");
  });

  test("is over at once where there are no steps", async () => {
    const world = await openWorld(2, { ramp: { percents: [], stepMs: 1_000 } });
    await probe(world, GOOD);
    expect(world.live.map(({ story }) => story)).toEqual(Array(2).fill("closed open ramp closed"));
  });
});

describe.concurrent("pauses", () => {
  const pauseOf = (worker: SimulatedWorker, now: number, forMs: number): Parameters<typeof worker.seat.share>[0] => ({
    cause: "throttled",
    reason: `for ${forMs}`,
    untilAt: now + worker.skewMs + forMs,
  });

  test("are kept by all until they end, each by its own clock, and told to the others once", async () => {
    const world = newWorld();
    const [first, ...others] = await world.add(3);
    first!.seat.share(pauseOf(first!, world.now, 5_000));
    expect(first!.newsCount).toBe(1);
    await world.pass(2_000);
    for (const { seat, pauses, skewMs } of others) {
      expect(seat.pause).toMatchObject({ cause: "throttled", reason: "for 5000" });
      expect(pauses).toHaveLength(1);
      // It was told a second after it began.
      expect(Math.abs(pauses[0]!.untilAt - (world.now + 3_000 + skewMs))).toBeLessThan(3);
    }
    expect(first!.pauses).toEqual([]);
    expect(first!.seat.pause).not.toBeNull();
    await world.pass(3_010);
    expect(world.live.map(({ seat }) => seat.pause)).toEqual([null, null, null]);
  });

  test("the longer one wins", async () => {
    const world = newWorld();
    const [first, second, third] = await world.add(3);
    first!.seat.share(pauseOf(first!, world.now, 60_000));
    second!.seat.share(pauseOf(second!, world.now, 30_000));
    await world.beatAll();
    await world.beatAll();
    expect(world.live.map(({ seat }) => seat.pause?.reason)).toEqual(["for 60000", "for 60000", "for 60000"]);
    third!.seat.share(pauseOf(third!, world.now, 90_000));
    await world.beatAll();
    await world.beatAll();
    expect(world.live.map(({ seat }) => seat.pause?.reason)).toEqual(["for 90000", "for 90000", "for 90000"]);
    expect(second!.pauses.map(({ reason }) => reason)).toEqual(["for 60000", "for 90000"]);
  });

  test("are known to a worker that comes later", async () => {
    const world = newWorld();
    const [first] = await world.add(1);
    first!.seat.share(pauseOf(first!, world.now, 60_000));
    await first!.beat();
    const [late] = await world.add(1);
    expect(late!.pauses).toMatchObject([{ reason: "for 60000" }]);
  });
});

describe.concurrent("what is heard", () => {
  test("a worker that comes later knows what the fleet holds", async () => {
    const world = await openWorld(2);
    const [late] = await world.add(1);
    expect(late!.seat).toMatchObject({ connected: true, state: { kind: "open" } });
    expect(late!.story).toBe("closed open");
  });

  test("a worker that left is told nothing more, also where an answer was under way", async () => {
    const world = await openWorld(2);
    const late = world.create();
    const answered = late.beat();
    await late.member.leave();
    await answered;
    expect(late.story).toBe("closed");
    late.vote();
    expect(late.newsCount).toBe(0);
    expect((await world.store.look([])).workers).toHaveLength(2);
  });

  test("without the fleet a worker decides alone, and afterwards hears it anew", async () => {
    const world = await openWorld(2);
    const [worker] = world.live;
    worker!.member.lost();
    expect(worker!.seat).toMatchObject({ connected: false, state: { kind: "closed" } });
    await worker!.beat();
    expect(worker!.seat).toMatchObject({ connected: true, state: { kind: "open" } });
    expect(worker!.story).toBe("closed open closed open");
  });

  test("a Redis that lost everything is told again", async () => {
    const world = await openWorld(2);
    const { workers, statuses, of } = world.store.keys;
    for (const key of [workers, statuses, ...of(PROVIDER)]) await redis.del(key);
    await world.beatAll();
    await world.beatAll();
    expect(kinds(world)).toEqual(["open", "open"]);
  });

  test("a Redis that lost the latest move is believed", async () => {
    const world = newWorld();
    const [first, second] = await world.add(3);
    const [stateKey] = world.store.keys.of(PROVIDER);
    await redis.hset(stateKey, "version", world.now, "kind", "closed");
    first!.vote();
    second!.vote();
    await world.beatAll();
    expect(second!.seat.state.kind).toBe("open");
    first!.vote(null);
    second!.vote(null);
    await redis.hset(stateKey, "version", world.now, "kind", "closed");
    await world.beatAll();
    expect(kinds(world)).toEqual(["closed", "closed", "closed"]);
  });

  test("each provider is its own", async () => {
    const world = newWorld();
    const [first, second] = await world.add(2);
    const parts = { probe: async () => GOOD, onChange: () => undefined, onPause: () => undefined };
    const seats = [first!.member.join("other", parts), second!.member.join("other", parts)];
    seats[0]!.vote({ reason: "421", remedy: null, atLeastMs: null });
    await world.beatAll();
    expect(seats.map(({ state }) => state.kind)).toEqual(["open", "open"]);
    expect(kinds(world)).toEqual(["closed", "closed"]);
  });

  test("everything in Redis ends by itself", async () => {
    const world = await openWorld(2);
    world.live[0]!.seat.share({ cause: "quota", reason: "used up", untilAt: world.now + 86_400_000 });
    await world.pass(2_000);
    const { workers, statuses, of } = world.store.keys;
    const keys = [workers, statuses, ...of(PROVIDER)];
    const leftMs = await Promise.all(keys.map((key) => redis.pttl(key)));
    // -1: for ever; -2: there is no such key.
    expect(keys.filter((_key, index) => (leftMs[index] ?? -2) < 0)).toEqual([]);
  });
});
