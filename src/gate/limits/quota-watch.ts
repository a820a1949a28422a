import type { Clock, Emit, LimitSettings } from "../../core/index.ts";
import type { RedisClient } from "../../redis/connection.ts";
import { warnedKey } from "./keys.ts";
import { readUsage } from "./read-usage.ts";

/** A worker looks at most this often, and warns at most so often in the whole fleet. */
const LOOK_MS = 60_000;
const WARN_SECONDS = 3_600;

/** Warns of a quota that is used up before it is renewed, if mail goes on as it does. */
export class QuotaWatch {
  readonly #parts: {
    readonly redis: RedisClient;
    readonly provider: string;
    readonly settings: LimitSettings;
    readonly clock: Clock;
    readonly storeClock: Clock | null;
    readonly emit: Emit;
  };
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: {
    redis: RedisClient;
    provider: string;
    settings: LimitSettings;
    clock: Clock;
    storeClock: Clock | null;
    emit: Emit;
  }) {
    this.#parts = parts;
  }

  /** To be called with each message. Looks now and then, where there is a quota at all. */
  note(): void {
    const { settings, clock } = this.#parts;
    if (settings.recipientsPerDay === null && settings.messagesPerMonth === null) return;
    if (clock() - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = clock();
    // Where Redis is away there is no mail to warn of.
    void this.look().catch(() => undefined);
  }

  /** Looks now. Rejects where Redis does not answer. */
  async look(): Promise<void> {
    const { redis, provider, settings, clock, storeClock } = this.#parts;
    const usage = await readUsage(redis, provider, settings, clock(), storeClock?.() ?? null);
    await this.#warn("day", usage.day, usage.dayEmptyAt);
    await this.#warn("month", usage.month, usage.monthEmptyAt);
  }

  async #warn(
    window: "day" | "month",
    { used, limit }: { readonly used: number; readonly limit: number | null },
    emptyAt: number | null,
  ): Promise<void> {
    const { redis, provider, emit } = this.#parts;
    if (limit === null || emptyAt === null) return;
    const isFirst = await redis.set(warnedKey(provider, window), "1", "EX", WARN_SECONDS, "NX");
    if (isFirst === "OK") emit({ type: "quota.warned", provider, window, used, limit, emptyAt });
  }
}
