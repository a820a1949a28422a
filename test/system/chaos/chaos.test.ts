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
  durationMs: 4_000,
  ratePerSecond: 50,
  settleMs: 40_000,
} satisfies Omit<RunOptions, "policy">;

async function run(scenario: Scenario, policy: RunOptions["policy"]): Promise<Result> {
  const result = await runScenario(scenario, { ...OPTIONS, policy });
  expect(result.problems).toEqual([]);
  expect(result).toMatchObject({ pushedCount: 200, lostCount: 0, unmarkedCopyCount: 0, goneCount: 0 });
  return result;
}

/** All locks run out, as they do 30 s after what held them is gone. */
async function expireLocks({ client }: Scene): Promise<void> {
  const locks = await client.keys("bull:mail:*:lock");
  if (locks.length > 0) await client.del(...locks);
}

/** Kills gateways one by one, and in the end all. */
async function killUntilNoneIsLeft(scene: Scene): Promise<void> {
  await killGateways(scene);
  await scene.fleet.kill();
  await expireLocks(scene);
  await scene.fleet.start(OPTIONS.gatewayCount);
}

/** Those of jobs too that Redis gave to a gateway whose connection broke before it heard of them. */
function thenExpireLocks(harm: Scenario["harm"]): Scenario["harm"] {
  return async (scene) => {
    await harm(scene);
    await expireLocks(scene);
  };
}

describe("each message comes to one end, none is lost, and each copy too many is marked", () => {
  test("gateways killed every second, and then all", async () => {
    const scenario = { name: "killed", fsync: "everysec", harm: killUntilNoneIsLeft } as const;
    const { killedCount } = await run(scenario, "by class");
    expect(killedCount).toBeGreaterThan(2);
  });

  test("Redis killed, with an append-only file that is written before each answer", async () => {
    await run({ name: "Redis killed", fsync: "always", harm: thenExpireLocks(killRedis) }, "by class");
  });

  test("Redis unreachable", async () => {
    await run({ name: "Redis unreachable", fsync: "everysec", harm: thenExpireLocks(cutFor(5_000)) }, "by class");
  });

  test("a fifth of all answers lost", async () => {
    const scenario = { name: "lost", fsync: "everysec", faults: LOST_ANSWERS, harm: nothingMore } as const;
    const { copyCount } = await run(scenario, "by class");
    expect(copyCount).toBeGreaterThan(0);
  });
});

test("where all uncertain mail is held, no copy is one too many", async () => {
  const scenario = { name: "held", fsync: "everysec", faults: LOST_ANSWERS, harm: killUntilNoneIsLeft } as const;
  const result = await run(scenario, "hold");
  expect(result.copyCount).toBe(0);
  expect(result.endCounts["held"]).toBeGreaterThan(0);
});
