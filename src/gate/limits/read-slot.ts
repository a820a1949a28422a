import type { LimitSettings, MessageClass } from "../../core/index.ts";
import type { RedisClient } from "../../redis/connection.ts";
import { keysOf } from "./keys.ts";
import { ATTEMPT_MARGIN_MS, RANKS } from "./redis-limiter.ts";
import { CALENDAR } from "./script-calendar.ts";
import { FRAME } from "./script-frame.ts";
import { DEFAULT_PACE, ScriptFrame } from "./script-arguments.ts";

/**
 * The slot that a message would get, by the same calendar as RESERVE has, and without taking it. arg: rank (1 otp, 2
 * transactional, 3 bulk). Returns {limit or '', what is open to the rank, ms to wait}.
 */
const LOOK = `${FRAME}${CALENDAR}
local now = instant()
local rank = tonumber(arg(1))
local limit = limitNow(now)
if not limit then return {'', 0, 0} end
local best, open = earliest(rank, limit, now, function(lane) return redis.call('ZCARD', order(lane)) end)
return {limit, open, best.slot and math.max(1, math.ceil(best.slot - now)) or 0}
`;

/** The slot that the next message of a class would get. */
export type NextSlot = {
  /** Messages a minute, as the limit holds now, and those of them that are open to the class. */
  readonly limit: number;
  readonly open: number;
  /** 0: it may go now. */
  readonly waitMs: number;
};

type Scripted = RedisClient & { limitLook(...args: (string | number)[]): Promise<(string | number)[]> };

/**
 * Looks at a provider's messages a minute, and takes nothing; null: there is no such limit. Rejects where Redis does not
 * answer. `attemptTimeoutMs`: as the limiters of the fleet have it. `storeNow`: for tests, what Redis's clock shows.
 */
export async function readNextSlot(
  redis: RedisClient,
  provider: string,
  asked: { readonly settings: LimitSettings; readonly class: MessageClass; readonly attemptTimeoutMs: number },
  now: number,
  storeNow: number | null = null,
): Promise<NextSlot | null> {
  const keys = keysOf(provider);
  redis.defineCommand("limitLook", { numberOfKeys: keys.length, lua: LOOK });
  const frame = new ScriptFrame(asked.settings, DEFAULT_PACE, asked.attemptTimeoutMs + ATTEMPT_MARGIN_MS);
  const answer = await (redis as Scripted).limitLook(...keys, ...frame.at(now, storeNow), RANKS[asked.class]);
  const [limit, open = 0, waitMs = 0] = answer.map(Number);
  return answer[0] === "" || limit === undefined ? null : { limit, open, waitMs };
}
