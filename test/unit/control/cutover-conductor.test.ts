import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { GatewayEvent } from "../../../src/core/index.ts";
import { closest } from "../../../src/config/closest.ts";
import { ChangeLog } from "../../../src/control/change-log.ts";
import { Control } from "../../../src/control/control.ts";
import { CutoverConductor } from "../../../src/control/cutover-conductor.ts";
import { readFigures } from "../../../src/control/cutover-figures.ts";
import { CutoverMeter } from "../../../src/control/cutover-meter.ts";
import { percentOf } from "../../../src/control/cutover.ts";
import type { Cutover, CutoverPlan } from "../../../src/control/cutover.ts";
import { LEASE_KEY, figuresKey } from "../../../src/control/keys.ts";
import { NO_CHANGES } from "../../../src/control/state.ts";
import type { ControlState } from "../../../src/control/state.ts";
import { closeRedis } from "../../../src/redis/connection.ts";
import type { RedisClient } from "../../../src/redis/connection.ts";
import { severable } from "../../scenario/severable-redis.ts";
import { planOf } from "./plans.ts";
import { connect, openEmbedded } from "../redis/stores.ts";
import type { Store } from "../redis/stores.ts";

const ann = { by: "ann@desk", reason: "cheaper" };
const EVERY_MS = 1_000;

let store: Store;
let redis: RedisClient;
let control: Control;
let events: GatewayEvent[];
let workers: Worker[];

/** A worker that looks at the log and at cutovers when it is told to. */
class Worker {
  state: ControlState = NO_CHANGES;
  readonly errors: Error[] = [];
  readonly meter: CutoverMeter;
  readonly conductor: CutoverConductor;
  readonly #log: ChangeLog;

  constructor(name: string, redis: RedisClient) {
    const state = (): ControlState => this.state;
    const onError = (error: Error): void => void this.errors.push(error);
    this.#log = new ChangeLog(redis);
    this.meter = new CutoverMeter(redis, state);
    this.conductor = new CutoverConductor({ redis, state, name, emit: (event) => events.push(event), onError });
  }

  get cutover(): Cutover | undefined {
    return this.state.cutovers["sendgrid"];
  }

  async learn(): Promise<void> {
    ({ state: this.state } = await this.#log.readAfter(this.state));
  }

  /** Looks, and knows afterwards what came of it. */
  async tick(): Promise<void> {
    await this.learn();
    await this.conductor.tick();
    await this.learn();
  }

  async record(count: number, { ok = true, delayMs = 100 } = {}): Promise<void> {
    for (let index = 0; index < count; index += 1) this.meter.record({ provider: "sendgrid", ok, delayMs });
    await this.meter.flush();
  }
}

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
  // Versions begin anew in each test, and the figures are under them.
  await redis.del(...(await redis.keys("mailover:control:*")), "none");
  events = [];
  workers = [];
});

afterEach(async () => {
  for (const { meter, conductor } of workers) {
    conductor.stop();
    await meter.stop();
  }
});

function work(name: string): Worker {
  const worker = new Worker(name, redis);
  workers.push(worker);
  return worker;
}

async function begin(more: Partial<CutoverPlan> = {}): Promise<void> {
  const answer = await control.cutover(planOf({ everyMs: EVERY_MS, leastCount: 10, ...more }), ann);
  expect(answer).toMatchObject({ kind: "done" });
}

/** Looks again and again until the cutover has left this step, or is no longer under way. */
async function passStep(worker: Worker): Promise<void> {
  const { step } = worker.cutover as Cutover;
  while (worker.cutover?.phase === "running" && worker.cutover.step === step) {
    await worker.tick();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const stepped = (): string[] =>
  events.map((event) => (event.type === "cutover.stepped" ? `${event.percent} ${event.state}: ${event.reason}` : ""));

test("mail that goes well moves step by step, none before its time, until it is done", async () => {
  const worker = work("worker-1");
  await begin({ steps: [5, 100] });
  await worker.tick();
  const { since } = worker.cutover as Cutover;
  await worker.record(10);
  await passStep(worker);
  expect(worker.cutover).toMatchObject({ phase: "running", step: 1 });
  expect((worker.cutover as Cutover).since - since).toBeGreaterThanOrEqual(EVERY_MS);
  // The next one begins with figures of its own.
  expect(await readFigures(redis, worker.cutover as Cutover)).toEqual({ okCount: 0, failedCount: 0, slowCount: 0 });
  await worker.record(10);
  await passStep(worker);
  expect(worker.cutover).toMatchObject({ phase: "done" });
  expect(percentOf(worker.cutover as Cutover)).toBe(100);
  const seen = "10 seen, 0 failed, 0 took longer than 30 s";
  expect(stepped()).toEqual([`100 running: ${seen}`, `100 done: ${seen}`]);
  const { changes } = await control.changes(10);
  expect(changes.map(({ action, by }) => `${action} by ${by}`)).toEqual([
    "cutover.done by worker-1",
    "cutover.stepped by worker-1",
    "cutover.started by ann@desk",
  ]);
});

test("a step waits for its messages, over its time", async () => {
  const worker = work("worker-1");
  await begin();
  await worker.tick();
  await worker.record(9);
  await new Promise((resolve) => setTimeout(resolve, EVERY_MS + 100));
  await worker.tick();
  expect(worker.cutover).toMatchObject({ step: 0 });
  await worker.record(1);
  await worker.tick();
  expect(worker.cutover).toMatchObject({ step: 1 });
});

test("a broken guard takes all mail back at once, and says its figures", async () => {
  const worker = work("worker-1");
  await begin({ guardErrorsPercent: 10 });
  await worker.tick();
  await worker.record(8);
  await worker.record(2, { ok: false });
  await worker.tick();
  expect(worker.cutover).toMatchObject({ phase: "rolled back", step: 0 });
  expect(percentOf(worker.cutover as Cutover)).toBe(0);
  expect(stepped()).toEqual(["0 rolled back: 2 of 10 failed, more than 10 %"]);
  // And nothing of it comes back by itself.
  await new Promise((resolve) => setTimeout(resolve, EVERY_MS + 100));
  await worker.record(100);
  await worker.tick();
  expect(worker.cutover).toMatchObject({ phase: "rolled back" });
});

test("slow mail breaks the guard on the delay", async () => {
  const worker = work("worker-1");
  await begin({ guardDelayMs: 5_000 });
  await worker.tick();
  await worker.record(9);
  await worker.record(1, { delayMs: 5_001 });
  await worker.tick();
  expect(stepped()).toEqual(["0 rolled back: 1 of 10 took longer than 5 s, more than 5 %"]);
});

test("the figures of all workers count together, whoever looks", async () => {
  const [one, two] = [work("worker-1"), work("worker-2")];
  await begin();
  await Promise.all([one.learn(), two.learn()]);
  await Promise.all([one.record(4), two.record(5), two.record(1, { ok: false, delayMs: 1e9 })]);
  expect(await readFigures(redis, one.cutover as Cutover)).toEqual({ okCount: 9, failedCount: 1, slowCount: 0 });
  expect(await redis.pttl(figuresKey("sendgrid", 1))).toBeGreaterThan(0);
});

test("what the members of a pool have counts for the pool", async () => {
  const pools = { boxes: ["boxes-1", "boxes-2"] };
  const known = { redis, providers: ["boxes-1", "boxes-2", "relay"], pools, suggest: closest };
  expect(await new Control(known).cutover(planOf({ to: "boxes" }), ann)).toMatchObject({ kind: "done" });
  const worker = work("worker-1");
  await worker.learn();
  const meter = new CutoverMeter(redis, () => worker.state, pools);
  for (const provider of ["boxes-1", "boxes-2", "relay"]) meter.record({ provider, ok: true, delayMs: 1 });
  await meter.flush();
  expect(await readFigures(redis, worker.state.cutovers["boxes"] as Cutover)).toMatchObject({ okCount: 2 });
});

test("one worker conducts, and another one when it is gone; each step is made once", async () => {
  const [one, two] = [work("worker-1"), work("worker-2")];
  await begin({ steps: [5, 25, 50, 100], leastCount: 0 });
  await one.tick();
  await two.tick();
  expect(await redis.get(LEASE_KEY)).toBe("worker-1");
  expect(await redis.pttl(LEASE_KEY)).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, EVERY_MS + 100));
  await two.tick();
  expect(two.cutover).toMatchObject({ step: 0 });
  // As when its lease is over.
  await redis.del(LEASE_KEY);
  await two.tick();
  expect(two.cutover).toMatchObject({ step: 1 });
  // The first one has slept, and decides on what it knew then: even with the lease it writes nothing.
  await redis.del(LEASE_KEY);
  await one.conductor.tick();
  await one.learn();
  expect(one.cutover).toEqual(two.cutover);
  expect((await control.changes(10)).changes).toHaveLength(2);
});

test("a cutover outlives all workers, and its time goes on by Redis's clock", async () => {
  const before = work("worker-1");
  await begin({ leastCount: 0 });
  await before.tick();
  await new Promise((resolve) => setTimeout(resolve, EVERY_MS + 100));
  await redis.del(LEASE_KEY);
  const after = work("worker-2");
  await after.tick();
  expect(after.cutover).toMatchObject({ step: 1 });
});

test("one that an operator takes back moves no more, whatever is counted then", async () => {
  const worker = work("worker-1");
  await begin({ leastCount: 0 });
  await worker.tick();
  await control.stopCutover(null, ann);
  await new Promise((resolve) => setTimeout(resolve, EVERY_MS + 100));
  // It has not heard of it yet.
  await worker.conductor.tick();
  await worker.tick();
  expect(worker.cutover).toMatchObject({ phase: "stopped" });
  expect((await control.changes(10)).changes).toHaveLength(2);
});

test("without a cutover nothing is asked and nothing counted", async () => {
  const worker = work("worker-1");
  await worker.record(10);
  await worker.tick();
  expect(await redis.keys("*cutover*")).not.toContain(figuresKey("sendgrid", 0));
  expect(await redis.exists(LEASE_KEY)).toBe(0);
});

describe("while Redis is away", () => {
  test("figures wait in memory, added up, and are told afterwards", async () => {
    const way = await severable(store.settings.url);
    const cut = connect({ url: way.url });
    const worker = new Worker("worker-1", cut);
    try {
      await begin();
      await worker.learn();
      way.cut();
      while (cut.status === "ready") await new Promise((resolve) => setTimeout(resolve, 5));
      await worker.record(3);
      await worker.record(4);
      await worker.conductor.tick();
      await worker.conductor.tick();
      expect(worker.errors).toHaveLength(1);
      way.mend();
      // Its connection may take a moment to come back.
      for (let tries = 0; tries < 100; tries += 1) {
        await worker.meter.flush();
        if ((await readFigures(redis, worker.cutover as Cutover)).okCount > 0) break;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(await readFigures(redis, worker.cutover as Cutover)).toMatchObject({ okCount: 7 });
    } finally {
      worker.conductor.stop();
      await closeRedis(cut);
      await way.close();
    }
  });
});
