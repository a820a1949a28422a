import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { FleetSeat, FleetState } from "../../../../src/gate/fleet/fleet.ts";
import type { FleetSettings } from "../../../../src/gate/fleet/member.ts";
import { readFleet, readWorkers } from "../../../../src/gate/fleet/read-fleet.ts";
import { RedisFleet } from "../../../../src/gate/fleet/redis-fleet.ts";
import type { Pause } from "../../../../src/gate/pause.ts";
import type { ProbeResult } from "../../../../src/gate/probe.ts";
import { closeRedis } from "../../../../src/redis/connection.ts";
import type { RedisClient, RedisSettings } from "../../../../src/redis/connection.ts";
import { severable } from "../../../scenario/severable-redis.ts";
import type { SeverableRedis } from "../../../scenario/severable-redis.ts";
import { redisServer } from "../../redis/real-server.ts";
import { connect, openCluster, openEmbedded } from "../../redis/stores.ts";
import type { Store } from "../../redis/stores.ts";
import { BAD, GOOD, SETTINGS } from "./world.ts";

const SETTINGS_OF_TESTS: FleetSettings = {
  ...SETTINGS,
  breaker: { ...SETTINGS.breaker, openMs: 60_000, openMaxMs: 60_000 },
};

/** A worker in a process of its own, as far as Redis can tell. */
class Worker {
  readonly fleet: RedisFleet;
  readonly seat: FleetSeat;
  readonly changes: FleetState[] = [];
  readonly pauses: Pause[] = [];
  readonly errors: Error[] = [];
  probeCount = 0;
  readonly #clients: readonly RedisClient[];

  constructor(name: string, redis: RedisSettings, settings = SETTINGS_OF_TESTS, result: ProbeResult = GOOD) {
    const clients = [connect(redis), connect(redis)] as const;
    this.#clients = clients;
    this.fleet = new RedisFleet({
      redis: clients[0],
      subscriber: clients[1],
      name,
      settings,
      status: () => JSON.stringify({ name }),
      clock: Date.now,
      random: () => 0.5,
      onError: (error) => this.errors.push(error),
    });
    this.seat = this.fleet.join("relay", {
      probe: async () => {
        this.probeCount += 1;
        return result;
      },
      onChange: (_from, to) => this.changes.push(to),
      onPause: (pause) => this.pauses.push(pause),
    });
  }

  /** Its connections stand: what a start then takes is its own. */
  async ready(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.ping()));
  }

  async stop(): Promise<void> {
    await this.fleet.stop();
    await this.kill();
  }

  /** Its connections end, and it says nothing more. */
  async kill(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
  }
}

/** A second, and what a busy machine takes. */
const SOON_MS = 3_000;

/** Two or three seconds, likewise. What has no bound waits for as long as Redis does. */
const BOUNDED_MS = 10_000;

const OPENING = { reason: "421 busy", remedy: "Wait", atLeastMs: null } as const;

/** How long it took, in milliseconds, until it was so; throws after so long. */
async function until(isSo: () => unknown, limitMs = 15_000): Promise<number> {
  const startedAt = Date.now();
  for (;;) {
    if (await isSo()) return Date.now() - startedAt;
    if (Date.now() - startedAt > limitMs) throw new Error(`not within ${limitMs} ms: ${isSo.toString()}`);
    await sleep(10);
  }
}

const stores = [
  ["the embedded store", openEmbedded],
  ...(redisServer === null ? [] : [["a cluster", openCluster]]),
] as [string, () => Promise<Store>][];

describe.each(stores)("in %s", (_name, open) => {
  let store: Store;
  let admin: RedisClient;
  let workers: Worker[];

  beforeAll(async () => {
    store = await open();
    admin = connect(store.settings);
  });
  afterAll(async () => {
    await closeRedis(admin);
    await store.close();
  });
  beforeEach(() => {
    workers = [];
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    await admin.flushall();
  });

  async function startWorkers(count: number, settings?: FleetSettings, result?: ProbeResult): Promise<Worker[]> {
    const added = Array.from({ length: count }, () => {
      const worker = new Worker(`host:${workers.length + 1}`, store.settings, settings, result);
      workers.push(worker);
      return worker;
    });
    await Promise.all(added.map((worker) => worker.ready()));
    await Promise.all(added.map(({ fleet }) => fleet.start()));
    return added;
  }

  const kinds = (): string[] => workers.map(({ seat }) => seat.state.kind);

  test("a vote that is enough opens for all within a second", async () => {
    const [first, second] = await startWorkers(4);
    await until(async () => (await readWorkers(admin)).length === 4);
    first!.seat.vote(OPENING);
    await sleep(100);
    expect(new Set(kinds())).toEqual(new Set(["closed"]));
    second!.seat.vote(OPENING);
    expect(await until(() => kinds().every((kind) => kind === "open"))).toBeLessThan(SOON_MS);
  });

  test("a worker that starts knows what the fleet holds", async () => {
    const [first] = await startWorkers(1);
    first!.seat.vote({ ...OPENING, atLeastMs: 30_000 });
    await until(() => first!.seat.state.kind === "open");
    const [late] = await startWorkers(1);
    expect(late!.seat).toMatchObject({ connected: true, state: { kind: "open", reason: "421 busy", remedy: "Wait" } });
  });

  test("the whole way: open, probed by one, ramped, closed", async () => {
    const settings: FleetSettings = {
      ...SETTINGS,
      breaker: { ...SETTINGS.breaker, openMs: 200 },
      ramp: { percents: [50], stepMs: 200 },
    };
    const [first] = await startWorkers(2, settings);
    first!.seat.vote(OPENING);
    await until(() => workers.every(({ changes }) => changes.at(-1)?.kind === "closed"));
    for (const { changes } of workers) expect(changes.map(({ kind }) => kind)).toEqual(["open", "ramp", "closed"]);
    expect(workers.map(({ probeCount }) => probeCount).toSorted()).toEqual([0, 1]);
  });

  test("a pause reaches the others at once, and not with their next beat", async () => {
    const [first, second] = await startWorkers(2);
    const startedAt = Date.now();
    // Heard with a beat, each would take the second from one to the next.
    for (let count = 1; count <= 10; count += 1) {
      first!.seat.share({ cause: "throttled", reason: `${count}`, untilAt: Date.now() + count * 60_000 });
      await until(() => second!.seat.pause?.reason === `${count}`);
    }
    expect(Date.now() - startedAt).toBeLessThan(6_000);
    expect(second!.pauses.map(({ reason }) => Number(reason))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(first!.pauses).toEqual([]);
  });

  test("a worker that stops takes its vote back and is gone", async () => {
    const [first] = await startWorkers(3);
    await until(async () => (await readWorkers(admin)).length === 3);
    first!.seat.vote(OPENING);
    await until(async () => (await readFleet(admin, ["relay"]))[0]!.votes.length === 1);
    await first!.stop();
    expect(await readFleet(admin, ["relay"])).toMatchObject([{ votes: [] }]);
    expect((await readWorkers(admin)).map(({ name }) => name)).toEqual(["host:2", "host:3"]);
  });

  test("what is shared can be read", async () => {
    const [first] = await startWorkers(2, SETTINGS_OF_TESTS, BAD);
    const before = Date.now();
    first!.seat.vote(OPENING);
    first!.seat.share({ cause: "quota", reason: "used up", untilAt: before + 60_000 });
    await until(() => workers.every(({ seat }) => seat.state.kind === "open" && seat.pause !== null));
    const [relay, unknown] = await readFleet(admin, ["relay", "unknown"]);
    expect(relay).toMatchObject({
      provider: "relay",
      state: { kind: "open", reason: "1 of 2 workers: 421 busy", remedy: "Wait" },
      votes: [{ worker: "host:1", reason: "421 busy", remedy: "Wait" }],
      pause: { cause: "quota", reason: "used up" },
      probedBy: null,
    });
    expect(Math.abs(relay!.votes[0]!.since - before)).toBeLessThan(2_000);
    expect(Math.abs((relay!.pause?.untilAt ?? 0) - (before + 60_000))).toBeLessThan(2_000);
    expect(unknown).toEqual({ provider: "unknown", state: { kind: "closed" }, votes: [], pause: null, probedBy: null });
    expect(await readWorkers(admin)).toEqual([
      { name: "host:1", status: '{"name":"host:1"}' },
      { name: "host:2", status: '{"name":"host:2"}' },
    ]);
  });
});

describe("Redis", () => {
  let store: Store;
  let way: SeverableRedis;
  let admin: RedisClient;
  let workers: Worker[];
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown): void => {
    rejections.push(reason);
  };

  beforeEach(async () => {
    process.on("unhandledRejection", onRejection);
    store = await openEmbedded();
    way = await severable(store.settings.url);
    admin = connect(store.settings);
    workers = [1, 2].map((number) => new Worker(`host:${number}`, { url: way.url }));
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    await closeRedis(admin);
    await way.close();
    await store.close();
    process.off("unhandledRejection", onRejection);
    if (rejections.length > 0) throw rejections[0];
  });

  test("that is away: workers decide alone, and when it is back all is heard anew, and votes are cast again", async () => {
    await Promise.all(workers.map(({ fleet }) => fleet.start()));
    const [first, second] = workers as [Worker, Worker];
    first.seat.vote(OPENING);
    await until(() => workers.every(({ seat }) => seat.state.kind === "open"));
    way.cut();
    expect(await until(() => workers.every(({ seat }) => !seat.connected))).toBeLessThan(BOUNDED_MS);
    expect(second.seat.state).toEqual({ kind: "closed" });
    expect(second.changes.map(({ kind }) => kind)).toEqual(["open", "closed"]);
    // Meanwhile Redis loses all it had.
    await admin.flushall();
    await sleep(500);
    way.mend();
    await until(() => workers.every(({ seat }) => seat.connected && seat.state.kind === "open"));
    // One complaint for each time, not one a second.
    expect(first.errors).toHaveLength(1);
    expect((await readFleet(admin, ["relay"]))[0]!.votes).toMatchObject([{ worker: "host:1" }]);
    // And what is said on the channel is heard again.
    first.seat.share({ cause: "throttled", reason: "4.3.2", untilAt: Date.now() + 60_000 });
    await until(() => second.seat.pause !== null);
  });

  test("that takes commands and does not answer is away, too", async () => {
    const [first, second] = workers as [Worker, Worker];
    await first.fleet.start();
    await admin.call("CLIENT", "PAUSE", "60000", "WRITE");
    const startedAt = Date.now();
    await second.fleet.start();
    expect(Date.now() - startedAt).toBeLessThan(BOUNDED_MS);
    expect(second.seat.connected).toBe(false);
    expect(await until(() => !first.seat.connected)).toBeLessThan(BOUNDED_MS);
    await admin.call("CLIENT", "UNPAUSE");
    expect(first.errors[0]!.message).toBe("no answer from Redis within 2000 ms");
    await until(() => workers.every(({ seat }) => seat.connected));
    expect(first.errors).toHaveLength(1);
  });

  test("that is away holds up neither start nor stop", async () => {
    way.cut();
    const startedAt = Date.now();
    await Promise.all(workers.map(({ fleet }) => fleet.start()));
    expect(Date.now() - startedAt).toBeLessThan(BOUNDED_MS);
    expect(workers[0]!.seat).toMatchObject({ connected: false, state: { kind: "closed" }, pause: null });
    workers[0]!.seat.vote(OPENING);
    const stoppedAt = Date.now();
    await Promise.all(workers.map(({ fleet }) => fleet.stop()));
    expect(Date.now() - stoppedAt).toBeLessThan(BOUNDED_MS);
  });

  test("that was away at the start is found when it comes", async () => {
    way.cut();
    await Promise.all(workers.map(({ fleet }) => fleet.start()));
    workers[0]!.seat.vote(OPENING);
    way.mend();
    await until(() => workers.every(({ seat }) => seat.connected && seat.state.kind === "open"));
  });

  test("is asked about one command a second by an idle worker, however many providers there are", async () => {
    const [worker] = workers;
    await worker!.fleet.start();
    for (let provider = 0; provider < 20; provider += 1) {
      worker!.fleet.join(`provider${provider}`, {
        probe: async () => GOOD,
        onChange: () => undefined,
        onPause: () => undefined,
      });
    }
    await admin.config("RESETSTAT");
    const startedAt = Date.now();
    await sleep(3_000);
    const calls = /cmdstat_evalsha:calls=(\d+)/.exec(await admin.info("commandstats"))?.[1];
    expect(Number(calls)).toBeGreaterThan(0);
    expect(Number(calls)).toBeLessThanOrEqual((Date.now() - startedAt) / 1_000 + 1);
  });
});
