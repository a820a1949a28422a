import { LearningLimiter } from "./learning-limiter.ts";
import type { Limiter } from "./limiter.ts";
import { RedisLimiter } from "./redis-limiter.ts";
import type { RedisLimiterOptions } from "./redis-limiter.ts";

/** A limiter with an end. `close` is to be called when the provider's connections are closed. Never throws. */
export type OpenLimiter = Limiter & { close(): Promise<void> };

/** The limits of one provider as its settings say. Without any, Redis is not asked for each message. */
export function createLimiter(options: RedisLimiterOptions): OpenLimiter {
  const { perMinute, recipientsPerDay, messagesPerMonth, connections } = options.settings;
  const limiter = new RedisLimiter(options);
  const hasLimits = [perMinute, recipientsPerDay, messagesPerMonth, connections].some((limit) => limit !== null);
  return hasLimits ? limiter : new LearningLimiter(limiter, options.clock);
}
