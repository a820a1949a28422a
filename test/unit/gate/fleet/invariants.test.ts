import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { closeRedis, connectRedis } from "../../../../src/redis/connection.ts";
import type { RedisClient } from "../../../../src/redis/connection.ts";
import { startEmbeddedStore } from "../../../../src/redis/embedded.ts";
import type { EmbeddedStore } from "../../../../src/redis/embedded.ts";
import { temporaryFolder } from "../../redis/real-server.ts";
import { FleetModel, MODEL_SETTINGS, MOVES } from "./model.ts";
import type { Happening } from "./model.ts";
import { World } from "./world.ts";

/** Fleets at a time: each waits for Redis most of its time. */
const AT_ONCE = 12;
const RUNS_EACH = 3;
const SEED = 20_261_124;
const LIMIT_MS = 120_000;

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

const who = fc.nat(11);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("beats" as const), who }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("votes" as const),
      who,
      atLeastMs: fc.oneof(fc.constant(0), fc.nat(60_000)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("withdraws" as const), who }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("ends its probe" as const),
      who,
      how: fc.constantFrom("good" as const, "good" as const, "bad" as const, "auth" as const),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("time passes" as const),
      ms: fc.oneof(fc.nat(1_000), fc.nat(6_000), fc.nat(100_000)),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: "all beat" as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: "comes" as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("dies", "leaves", "loses Redis"), who }) },
);

test(
  "whatever happens to its workers: one probes, enough agree, all hold the same, and it always comes back",
  async () => {
    const seen = new Set<string>();
    const property = fc.asyncProperty(
      fc.nat(5),
      fc.array(happening, { minLength: 20, maxLength: 60 }),
      async (others, life) => {
        worldCount += 1;
        const model = new FleetModel(new World(redis, `model${worldCount}`, MODEL_SETTINGS));
        for (let count = 0; count <= others; count += 1) await model.happen({ kind: "comes" });
        for (const one of life) await model.happen(one);
        await model.settle();
        await model.recover();
        for (const move of model.seen) seen.add(move);
      },
    );
    const runs = Array.from({ length: AT_ONCE }, (_, index) =>
      fc.assert(property, { seed: SEED + index, numRuns: RUNS_EACH, interruptAfterTimeLimit: LIMIT_MS / 2 }),
    );
    await Promise.all(runs);
    // Else the lives above were too quiet to show anything.
    expect([...seen].toSorted()).toEqual(MOVES);
  },
  LIMIT_MS,
);
