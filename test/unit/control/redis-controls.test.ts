import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { GatewayEvent } from "../../../src/core/index.ts";
import { closest } from "../../../src/config/closest.ts";
import { Control } from "../../../src/control/control.ts";
import { CHANNEL, LOG_KEYS } from "../../../src/control/keys.ts";
import { NOTHING_CHANGED } from "../../../src/control/overlay.ts";
import { RedisControls } from "../../../src/control/redis-controls.ts";
import { closeRedis } from "../../../src/redis/connection.ts";
import type { RedisClient } from "../../../src/redis/connection.ts";
import { severable } from "../../scenario/severable-redis.ts";
import { connect, openEmbedded } from "../redis/stores.ts";
import type { Store } from "../redis/stores.ts";

const ann = { by: "ann@desk", reason: "invoices are late" };

/** Far above what it takes, since the machine may be busy: below it, nothing is said of how fast it is. */
const PATIENCE_MS = 15_000;

async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${PATIENCE_MS} ms`);
    await sleep(5);
  }
}

/** A worker that follows, and all that it tells. */
class Follower {
  readonly events: GatewayEvent[] = [];
  readonly errors: Error[] = [];
  readonly controls: RedisControls;
  readonly #connections: readonly RedisClient[];
  aheadMs = 0;

  constructor(settings: Store["settings"]) {
    const [redis, subscriber] = [connect(settings), connect(settings)];
    this.#connections = [redis, subscriber];
    this.controls = new RedisControls({
      redis,
      subscriber,
      clock: () => Date.now() + this.aheadMs,
      emit: (event) => this.events.push(event),
      onError: (error) => this.errors.push(error),
    });
  }

  get isConnected(): boolean {
    return this.#connections.some(({ status }) => status === "ready");
  }

  get sentences(): string[] {
    return this.events.map((event) => (event.type === "control.changed" ? `${event.by}: ${event.sentence}` : ""));
  }

  isDrained(provider: string): boolean {
    return (this.controls.overlay.standings[provider]?.drain ?? null) !== null;
  }

  async stop(): Promise<void> {
    await this.controls.stop();
    for (const connection of this.#connections) await closeRedis(connection);
  }
}

describe("a worker", () => {
  let store: Store;
  let redis: RedisClient;
  let control: Control;
  let followers: Follower[];

  beforeAll(async () => {
    store = await openEmbedded();
    redis = connect(store.settings);
    control = new Control({ redis, providers: ["microsoft365", "sendgrid", "relay"], pools: {}, suggest: closest });
  });

  afterAll(async () => {
    await closeRedis(redis);
    await store.close();
  });

  beforeEach(async () => {
    followers = [];
    await redis.del(...LOG_KEYS);
  });

  afterEach(async () => {
    for (const follower of followers) await follower.stop();
  });

  function follow(): Follower {
    const follower = new Follower(store.settings);
    followers.push(follower);
    return follower;
  }

  test("each worker knows a change, and tells once who made it and why", async () => {
    const [one, two] = [follow(), follow()];
    await Promise.all([one.controls.start(), two.controls.start()]);
    expect(one.controls.overlay).toEqual(NOTHING_CHANGED);

    await control.drain("sendgrid", ann);
    for (const follower of [one, two]) await until("it is drained", () => follower.isDrained("sendgrid"));
    expect(two.controls.overlay.version).toBe(1);
    await control.rollback(1, { by: "bob@desk", reason: "" });
    expect(await control.rollback(1, { by: "bob@desk", reason: "over" })).toMatchObject({ kind: "done" });
    for (const follower of [one, two]) {
      await until("it is not", () => !follower.isDrained("sendgrid"));
      expect(follower.sentences).toEqual([
        "ann@desk: sendgrid is drained (invoices are late)",
        "bob@desk: change 1 is undone: sendgrid is not drained (over)",
      ]);
    }
    expect(two.controls.overlay.version).toBe(2);
  });

  test("a worker that begins knows what holds before start() ends, and tells nobody what is not new", async () => {
    await control.drain("sendgrid", ann);
    const late = follow();
    await late.controls.start();
    expect(late.isDrained("sendgrid")).toBe(true);
    expect(late.events).toEqual([]);
  });

  test("a change is told by Redis, before anybody asks", async () => {
    // So that no worker ever asks again.
    vi.useFakeTimers({ toFake: ["setInterval"] });
    try {
      const follower = follow();
      await follower.controls.start();
      const told = async (): Promise<boolean> =>
        Number(((await redis.call("PUBSUB", "NUMSUB", CHANNEL)) as unknown[])[1]) > 0;
      while (!(await told())) await sleep(5);
      await control.drain("sendgrid", ann);
      await until("it is drained", () => follower.isDrained("sendgrid"));
    } finally {
      vi.useRealTimers();
    }
  });

  test("and found within a second or so where Redis's message is lost", async () => {
    const follower = follow();
    await follower.controls.start();
    await silently(redis, () => control.drain("relay", ann));
    await until("it is drained", () => follower.isDrained("relay"));
  });

  test("what has an end ends by itself, and is told of", async () => {
    const follower = follow();
    // Clocks of workers differ; Redis's counts.
    follower.aheadMs = 3_600_000;
    await follower.controls.start();
    await control.drain("sendgrid", ann, { forMs: 2_000 });
    await until("it is drained", () => follower.isDrained("sendgrid"));
    const untilAt = follower.controls.overlay.standings["sendgrid"]?.drain?.untilAt ?? 0;
    expect(Math.abs(untilAt - (Date.now() + 3_600_000))).toBeLessThan(PATIENCE_MS);
    await until("it is told", () => follower.events.length === 2);
    expect(follower.isDrained("sendgrid")).toBe(false);
    expect(follower.sentences[1]).toBe("ann@desk: its time is over: sendgrid is not drained");
  });

  test("changes that are gone from Redis hold no longer", async () => {
    const follower = follow();
    await control.drain("sendgrid", ann);
    await follower.controls.start();
    expect(follower.isDrained("sendgrid")).toBe(true);
    await redis.del(...LOG_KEYS);
    await until("it is as configured", () => !follower.isDrained("sendgrid"));
    const gone = "redis: changes made before are gone from Redis: what they changed is as configured";
    expect(follower.sentences).toEqual([gone]);
    // What is made then is told of, though its version is no news.
    await control.drain("relay", ann);
    await until("it is drained", () => follower.isDrained("relay"));
    expect(follower.sentences).toEqual([gone, "ann@desk: relay is drained (invoices are late)"]);
  });
});

/** Does it while nobody hears of it: the channel is renamed in the script that is sent. */
async function silently(redis: RedisClient, act: () => Promise<unknown>): Promise<void> {
  const scripted = redis as RedisClient & { controlAppend(...args: unknown[]): Promise<string> };
  const { controlAppend } = scripted;
  scripted.controlAppend = (...args) => controlAppend.apply(redis, args.with(5, "nobody listens here"));
  try {
    await act();
  } finally {
    scripted.controlAppend = controlAppend;
  }
}

describe("while Redis is away", () => {
  let store: Store;
  let redis: RedisClient;

  beforeAll(async () => {
    store = await openEmbedded();
    redis = connect(store.settings);
  });

  afterAll(async () => {
    await closeRedis(redis);
    await store.close();
  });

  test("a worker keeps what it knew, ends what has its end, and catches up afterwards", async () => {
    const control = new Control({
      redis,
      providers: ["microsoft365", "sendgrid", "relay"],
      pools: {},
      suggest: closest,
    });
    const way = await severable(store.settings.url);
    const follower = new Follower({ url: way.url });
    try {
      await control.drain("sendgrid", ann);
      await control.prefer("relay", ann, { forMs: 4_000 });
      await follower.controls.start();
      way.cut();
      await until("it is cut off", () => !follower.isConnected);
      expect(follower.isDrained("sendgrid")).toBe(true);
      await until("its time is over", () => follower.controls.overlay.standings["relay"] === undefined);
      await control.drain("microsoft365", ann);
      expect(follower.isDrained("microsoft365")).toBe(false);
      way.mend();
      await until("it catches up", () => follower.isDrained("microsoft365"));
      expect(follower.isDrained("sendgrid")).toBe(true);
      // And it hears again, not only asks.
      await control.resume("sendgrid", ann);
      await until("it hears", () => !follower.isDrained("sendgrid"));
    } finally {
      await follower.stop();
      await way.close();
    }
  });

  test("start() ends all the same, with everything as configured", async () => {
    const way = await severable(store.settings.url);
    way.cut();
    const follower = new Follower({ url: way.url });
    try {
      const startedAt = Date.now();
      await follower.controls.start();
      expect(Date.now() - startedAt).toBeLessThan(PATIENCE_MS);
      expect(follower.controls.overlay).toEqual(NOTHING_CHANGED);
      way.mend();
      await until("it knows", () => follower.controls.overlay.version > 0);
      // It was made before this worker knew anything.
      expect(follower.events).toEqual([]);
    } finally {
      await follower.stop();
      await way.close();
    }
  });
});
