import { setTimeout as sleep } from "node:timers/promises";
import { AppendOnlyFile } from "./append-only-file.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { Scene } from "./run.ts";

/** `everysec` has what is older than a second on the disk. A bit more, since the sync itself takes its time. */
const SYNCED_WITHIN_MS = 1_200;

/**
 * Cuts the power of the machine with Redis twice, and has it back a second later: Redis is killed, and its append-only file
 * cut back to what was certainly on the disk, with a piece of the next command behind it. With `always` that is all of it:
 * nothing is acknowledged before it is synced, and what was not acknowledged may be on the disk or not.
 */
export async function cutPower({ redis, client, random, durationMs, forget }: Scene): Promise<void> {
  const file = new AppendOnlyFile(redis.folder);
  const heartbeat = new Heartbeat(client);
  try {
    for (let times = 0; times < 2; times += 1) {
      heartbeat.start();
      await sleep(durationMs / 3);
      const acknowledgedAt = await heartbeat.stop();
      const cutAt = Date.now();
      await redis.kill();
      if (redis.fsync === "everysec") await file.cutBack(cutAt - SYNCED_WITHIN_MS, random);
      await sleep(1_000);
      await redis.start();
      const rememberedAt = await heartbeat.remembered();
      if (rememberedAt < acknowledgedAt) forget({ fromAt: rememberedAt, untilAt: cutAt });
    }
  } finally {
    file.stop();
  }
}
