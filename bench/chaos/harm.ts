import { setTimeout as sleep } from "node:timers/promises";
import type { Scene } from "./run.ts";

/** Longer than a job's lock, which is 30 s. */
const LONGER_THAN_A_LOCK_MS = 35_000;

/** Kills a random gateway every second, and starts a new one. */
export async function killGateways({ fleet, random, durationMs }: Scene): Promise<void> {
  const endAt = Date.now() + durationMs;
  const starts: Promise<void>[] = [];
  while (Date.now() < endAt) {
    await sleep(1_000);
    const gateway = fleet.pick(random);
    if (gateway !== undefined) await fleet.kill([gateway]);
    starts.push(fleet.start(1));
  }
  await Promise.all(starts);
}

/** Stops two gateways for longer than their locks last, and lets them go on: others have their jobs by then. */
export async function suspendGateways({ fleet, random }: Scene): Promise<void> {
  await sleep(2_000);
  const suspended = [fleet.pick(random), fleet.pick(random)];
  for (const gateway of suspended) gateway?.kill("SIGSTOP");
  await sleep(LONGER_THAN_A_LOCK_MS);
  for (const gateway of suspended) gateway?.kill("SIGCONT");
}

/** Kills Redis twice, and starts it again a second later. */
export async function killRedis({ redis, durationMs }: Scene): Promise<void> {
  for (let times = 0; times < 2; times += 1) {
    await sleep(durationMs / 3);
    await redis.kill();
    await sleep(1_000);
    await redis.start();
  }
}

/** Breaks all connections to Redis, and new ones, for this long. */
export function cutFor(outageMs: number): (scene: Scene) => Promise<void> {
  return async ({ cable }) => {
    await sleep(2_000);
    cable.cut();
    await sleep(outageMs);
    cable.mend();
  };
}

/** Nothing comes through to Redis, or back, for longer than a lock lasts; then all of it arrives late. */
export async function freezeRedis({ cable }: Scene): Promise<void> {
  await sleep(2_000);
  cable.freeze();
  await sleep(LONGER_THAN_A_LOCK_MS);
  cable.mend();
}

/** Redis refuses to write for ten seconds, since its memory is full. */
export async function fillRedis({ client }: Scene): Promise<void> {
  await sleep(3_000);
  await client.call("CONFIG", "SET", "maxmemory", "1mb");
  await sleep(10_000);
  await client.call("CONFIG", "SET", "maxmemory", "0");
}

/** The relays are all the harm there is. */
export async function nothingMore({ durationMs }: Scene): Promise<void> {
  await sleep(durationMs);
}

/**
 * One gateway's clock goes an hour back, and then an hour ahead. It stays there: what it deferred in that time is due by its
 * clock alone.
 */
export async function stepClock({ fleet, durationMs }: Scene): Promise<void> {
  const steps = new URLSearchParams({
    [String(Math.round(durationMs / 4))]: "-3600000",
    [String(Math.round(durationMs / 2))]: "3600000",
  });
  const clock = new URL(`stepped-clock.js?${steps.toString()}`, import.meta.url);
  await fleet.start(1, [`--import=${clock.href}`]);
  await sleep(durationMs);
}
