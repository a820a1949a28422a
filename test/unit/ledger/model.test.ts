import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { UncertainPolicy } from "../../../src/core/index.ts";
import type { Ledger } from "../../../src/ledger/ledger.ts";
import { RedisLedger } from "../../../src/ledger/redis-ledger.ts";
import { TRANSITIONS } from "../../../src/ledger/states.ts";
import { closeRedis, connectRedis } from "../../../src/redis/connection.ts";
import type { RedisClient } from "../../../src/redis/connection.ts";
import { startEmbeddedStore } from "../../../src/redis/embedded.ts";
import type { EmbeddedStore } from "../../../src/redis/embedded.ts";
import { MemoryLedger } from "../memory-ledger.ts";
import { temporaryFolder } from "../redis/real-server.ts";
import { live } from "./model-life.ts";
import { explore } from "./model-paths.ts";
import { closeGates } from "./model-provider.ts";
import { World } from "./model-world.ts";
import type { Bounds } from "./model-world.ts";

/**
 * The life of a message, as the real code of workers lives it, on every path up to a bound: what providers answer, where
 * workers die, stand still or lose an answer, and what an operator does. model-life.ts says what must hold at each end.
 */
const POLICIES: readonly UncertainPolicy[] = ["resend", "retry", "hold"];
const LIMIT_MS = 120_000;
/** Paths at a time: enough for the pauses of those that try a write again to overlap. */
const AT_ONCE = 100;
const BROKEN_SHOWN = 3;

const moves = new Set<string>();
let worldCount = 0;

afterAll(() => closeGates());

async function check(policy: UncertainPolicy, bounds: Bounds, ledgerOf: () => Ledger): Promise<number> {
  const seen = new Set<string>();
  const broken: string[] = [];
  const pathCount = await explore(async (choices) => {
    worldCount += 1;
    const world = new World(`${worldCount}`, { policy, bounds, choices, ledger: ledgerOf() });
    await live(world, seen);
    for (const move of world.moves) moves.add(move);
    if (world.problems.length > 0 && broken.length < BROKEN_SHOWN) {
      broken.push([...world.problems, "on this path:", ...world.steps].join("\n  "));
    }
  }, AT_ONCE);
  process.stdout.write(
    `${policy}, ${JSON.stringify(bounds)}: ${pathCount} paths, ${seen.size} states between rounds\n`,
  );
  expect(broken).toEqual([]);
  return pathCount;
}

describe("no copy is lost, none is made but in doubt, and the log says what happened", () => {
  test.each(POLICIES)(
    "%s: with two providers, whatever they answer, and one thing gone wrong at any step",
    async (policy) => {
      const bounds = {
        faults: 1,
        kinds: ["dies", "fails", "sleeps", "stops"],
        badOutcomes: 1,
        providers: 2,
        operations: 1,
      } as const;
      expect(await check(policy, bounds, () => new MemoryLedger())).toBeGreaterThan(1_000);
    },
    LIMIT_MS,
  );

  test.each(POLICIES)(
    "%s: with two workers that die or stand still at any two steps",
    async (policy) => {
      const bounds = { faults: 2, kinds: ["dies", "sleeps"], badOutcomes: 0, providers: 1, operations: 0 } as const;
      expect(await check(policy, bounds, () => new MemoryLedger())).toBeGreaterThan(1_000);
    },
    LIMIT_MS,
  );

  test("each way that a worker moves a message by was gone, and is in the table", () => {
    const ways = TRANSITIONS.filter(({ by }) => by.includes("worker"));
    expect([...moves].toSorted()).toEqual(ways.map(({ from, to }) => `${from ?? "(none)"} -> ${to}`).toSorted());
  });
});

describe("the same with the ledger in Redis", () => {
  const folder = temporaryFolder();
  let store: EmbeddedStore;
  let redis: RedisClient;

  beforeAll(async () => {
    store = await startEmbeddedStore({ dataDir: folder.path, log: () => undefined });
    redis = connectRedis({ url: store.url }, { use: "commands", connectionName: "model", onError: () => undefined });
  });

  afterAll(async () => {
    await closeRedis(redis);
    await store.stop();
    folder.remove();
  });

  test.each(POLICIES)(
    "%s: with one thing gone wrong at any step",
    async (policy) => {
      const bounds = {
        faults: 1,
        kinds: ["dies", "fails", "sleeps", "stops"],
        badOutcomes: 0,
        providers: 1,
        operations: 0,
      } as const;
      const ledger = new RedisLedger(redis, Date.now);
      expect(await check(policy, bounds, () => ledger)).toBeGreaterThan(50);
    },
    LIMIT_MS,
  );
});
