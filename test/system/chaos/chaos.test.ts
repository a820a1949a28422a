import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { cutFor, killGateways, killRedis, nothingMore } from "../../../bench/chaos/harm.ts";
import { runScenario } from "../../../bench/chaos/run.ts";
import type { Result, RunOptions, Scenario, Scene } from "../../../bench/chaos/run.ts";
import { LOST_ANSWERS } from "../../../bench/chaos/scenarios.ts";

/** Short runs of what `npm run bench:chaos` does for longer and with more. */
const OPTIONS = {
  main: fileURLToPath(new URL("../../../dist/src/cli/main.js", import.meta.url)),
  seed: 7,
  gatewayCount: 2,
  durationMs: 5_000,
  ratePerSecond: 40,
  settleMs: 40_000,
} satisfies Omit<RunOptions, "policy">;

async function run(scenario: Scenario, policy: RunOptions["policy"]): Promise<Result> {
  const result = await runScenario(scenario, { ...OPTIONS, policy });
  expect(result.problems).toEqual([]);
  expect(result).toMatchObject({ pushedCount: 200, lostCount: 0, unmarkedCopyCount: 0, goneCount: 0 });
  return result;
}

/** Kills gateways one by one and in the end all, whose locks then run out as they do after 30 s. */
async function killUntilNoneIsLeft(scene: Scene): Promise<void> {
  await killGateways(scene);
  await scene.fleet.kill();
  const locks = await scene.client.keys("bull:mail:*:lock");
  if (locks.length > 0) await scene.client.del(...locks);
  await scene.fleet.start(OPTIONS.gatewayCount);
}

describe("each message comes to one end, none is lost, and each copy too many is marked", () => {
  test("a gateway killed every second", async () => {
    const scenario = { name: "killed", fsync: "everysec", harm: killUntilNoneIsLeft } as const;
    const { killedCount } = await run(scenario, "by class");
    expect(killedCount).toBeGreaterThan(2);
  });

  test("Redis killed, with an append-only file that is written before each answer", async () => {
    await run({ name: "Redis killed", fsync: "always", harm: killRedis }, "by class");
  });

  test("Redis unreachable", async () => {
    await run({ name: "Redis unreachable", fsync: "everysec", harm: cutFor(5_000) }, "by class");
  });

  test("a fifth of all answers lost", async () => {
    const scenario = { name: "lost", fsync: "everysec", faults: LOST_ANSWERS, harm: nothingMore } as const;
    const { copyCount } = await run(scenario, "by class");
    expect(copyCount).toBeGreaterThan(0);
  });
});

test("where all uncertain mail is held, no copy is one too many", async () => {
  const harm = async (scene: Scene): Promise<void> => {
    await sleep(1_000);
    await killUntilNoneIsLeft(scene);
  };
  const result = await run({ name: "held", fsync: "everysec", faults: LOST_ANSWERS, harm }, "hold");
  expect(result.copyCount).toBe(0);
  expect(result.endCounts["held"]).toBeGreaterThan(0);
});
