import type { RedisClient } from "../redis/connection.ts";
import type { Cutover, CutoverFigures } from "./cutover.ts";
import { figuresKey } from "./keys.ts";

/** What all workers counted in the present step of a cutover. Rejects where Redis does not answer. */
export async function readFigures(redis: RedisClient, { plan, version }: Cutover): Promise<CutoverFigures> {
  const [ok, failed, slow] = await redis.hmget(figuresKey(plan.to, version), "ok", "failed", "slow");
  return { okCount: Number(ok ?? 0), failedCount: Number(failed ?? 0), slowCount: Number(slow ?? 0) };
}
