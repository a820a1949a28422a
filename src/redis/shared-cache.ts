import type { SharedCache } from "../core/index.ts";
import type { RedisClient } from "./connection.ts";

/** Longer values are not kept, and not read where somebody else wrote them. */
const MAX_VALUE_BYTES = 65_536;
/** Whoever asks has mail that waits. */
const DEFAULT_LIMIT_MS = 1000;

/** ARGV: most bytes. Returns the value and how long it still stands (milliseconds; -1: for ever), or nothing. */
const READ = `
local size = redis.call('STRLEN', KEYS[1])
if size == 0 or size > tonumber(ARGV[1]) then return {} end
return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}
`;

/** The script as ioredis defines it on a connection. */
type Scripted = RedisClient & { cacheRead(key: string, maxBytes: number): Promise<[string, number] | []> };

/**
 * The cache of a fleet in Redis: `mailover:cache:<key>`, and `mailover:cache:<key>:lead` for who leads. Everything in it
 * expires. The connection is one whose commands fail while Redis is away.
 */
export class RedisSharedCache implements SharedCache {
  readonly #redis: Scripted;
  readonly #limitMs: number;

  constructor(redis: RedisClient, limitMs: number = DEFAULT_LIMIT_MS) {
    redis.defineCommand("cacheRead", { numberOfKeys: 1, lua: READ });
    this.#redis = redis as Scripted;
    this.#limitMs = limitMs;
  }

  get(key: string): Promise<{ readonly value: string; readonly ttlMs: number } | null> {
    return this.#within(null, async () => {
      const [value, ttlMs] = await this.#redis.cacheRead(keyOf(key), MAX_VALUE_BYTES);
      // Without an end it is not ours.
      return value === undefined || ttlMs === undefined || ttlMs <= 0 ? null : { value, ttlMs };
    });
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    if (ttlMs < 1 || Buffer.byteLength(value) > MAX_VALUE_BYTES) return;
    await this.#within<unknown>(null, async () => this.#redis.set(keyOf(key), value, "PX", Math.floor(ttlMs)));
  }

  lead(key: string, ttlMs: number): Promise<boolean> {
    return this.#within(true, async () => {
      const answer = await this.#redis.set(`${keyOf(key)}:lead`, "1", "PX", Math.max(1, Math.floor(ttlMs)), "NX");
      return answer !== null;
    });
  }

  /** What a command answers, or `otherwise` where it fails or takes too long. A late answer is nobody's any more. */
  async #within<T>(otherwise: T, command: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<T>((resolve) => {
      // A process that was busy meanwhile reads its socket once more before it gives up: the delay was its own.
      timer = setTimeout(() => setImmediate(() => resolve(otherwise)), this.#limitMs);
    });
    try {
      return await Promise.race([command().catch(() => otherwise), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function keyOf(key: string): string {
  return `mailover:cache:${key}`;
}
