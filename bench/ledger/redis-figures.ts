import { Redis } from "ioredis";
import type { RedisClient } from "../../src/redis/connection.ts";
import { percentile } from "../statistics.ts";

const STATE_KEYS = "mailover:ledger:{*}";

/** How many scripts Redis has run so far: each call of one is a round trip of the ledger's, or of BullMQ's. */
export async function scriptCalls(redis: RedisClient): Promise<number> {
  const stats = String(await redis.call("INFO", "commandstats"));
  const counts = [...stats.matchAll(/^cmdstat_(?:eval|evalsha):calls=(\d+)/gm)].map(([, calls]) => Number(calls));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Median, over so many messages, of the memory that the ledger's keys of one take. */
export async function medianLedgerBytes(
  redis: RedisClient,
  messageCount: number,
): Promise<{ readonly bytes: number; readonly count: number }> {
  if (!(redis instanceof Redis)) throw new Error("the bench has one server");
  const keys = new Set<string>();
  for await (const found of redis.scanStream({ match: STATE_KEYS, count: 1_000 })) {
    for (const key of found as string[]) keys.add(key);
    if (keys.size >= messageCount) break;
  }
  const sampled = [...keys].slice(0, messageCount);
  const sizes = await Promise.all(
    sampled.map(async (key) => (await usage(redis, key)) + (await usage(redis, `${key}:log`))),
  );
  return { bytes: percentile(sizes, 50), count: sizes.length };
}

async function usage(redis: Redis, key: string): Promise<number> {
  return Number((await redis.call("MEMORY", "USAGE", key)) ?? 0);
}
