import type { Clock } from "../../core/index.ts";
import type { RedisClient } from "../../redis/connection.ts";
import { STORE_TIME } from "../../redis/lua.ts";
import { within } from "../../redis/within.ts";
import type { RefusalBoard, SenderRefusal } from "../sender-memory.ts";

/**
 * Where refused From addresses are kept: of each provider a sorted set of `digest reason`, by Redis's time at which each is
 * to be forgotten.
 */
const keyOf = (provider: string): string => `mailover:refused:{${provider}}`;

/** What is told there: JSON, see `Told`. */
const CHANNEL = "mailover:refused";

/** Of a provider, at most; the one that ends first goes first. */
const CAPACITY = 10_000;

const START_MS = 2_000;

/** ARGV: `digest reason`, for how long (milliseconds), capacity, channel, what to tell. */
const TELL = `${STORE_TIME}
local now = storeTime()
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[3])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', last[2] - now))
-- A user of Redis may lack the right to it; then each of the others finds out by itself.
redis.pcall('PUBLISH', ARGV[4], ARGV[5])
`;

/** Returns `digest reason` and for how much longer, milliseconds, one after the other. */
const READ = `${STORE_TIME}
local now = storeTime()
local found = redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%.0f', now), '+inf', 'WITHSCORES')
for i = 2, #found, 2 do found[i] = string.format('%.0f', found[i] - now) end
return found
`;

type Scripted = RedisClient & {
  refusalTell(...args: (string | number)[]): Promise<unknown>;
  refusalRead(key: string): Promise<string[]>;
};

/** `sender` null: all of the provider's are to be forgotten. */
type Told = {
  readonly provider: string;
  readonly sender: string | null;
  readonly reason: string;
  readonly forMs: number;
};

export type RedisRefusalsParts = {
  /** Its commands fail within seconds while Redis is away. */
  readonly redis: RedisClient;
  /** A connection that subscribes; others may use it for channels of their own. */
  readonly subscriber: RedisClient;
  readonly clock: Clock;
};

/** The From addresses that providers refused, as all workers of a Redis know them. */
export class RedisRefusals implements RefusalBoard {
  readonly #parts: RedisRefusalsParts;
  readonly #redis: Scripted;
  readonly #listeners = new Map<string, (refusal: SenderRefusal | null) => void>();

  constructor(parts: RedisRefusalsParts) {
    this.#parts = parts;
    this.#redis = scripted(parts.redis);
  }

  listen(provider: string, hear: (refusal: SenderRefusal | null) => void): void {
    this.#listeners.set(provider, hear);
  }

  tell(provider: string, { sender, reason, untilAt }: SenderRefusal): void {
    const forMs = Math.round(untilAt - this.#parts.clock());
    if (forMs <= 0) return;
    const told: Told = { provider, sender, reason, forMs };
    const args = [`${sender} ${reason}`, forMs, CAPACITY, CHANNEL, JSON.stringify(told)];
    void this.#redis.refusalTell(keyOf(provider), ...args).catch(() => undefined);
  }

  /** Hears from now on, and what was told before. Held up by no Redis for more than two seconds. */
  async start(): Promise<void> {
    const { subscriber } = this.#parts;
    subscriber.on("message", this.#onMessage);
    // What was told while it was away.
    subscriber.on("ready", this.#onReady);
    const begun = subscriber
      .subscribe(CHANNEL)
      .catch(() => undefined)
      .then(() => this.#readAll());
    await within(START_MS, begun, () => undefined);
  }

  stop(): void {
    const { subscriber } = this.#parts;
    subscriber.off("message", this.#onMessage);
    subscriber.off("ready", this.#onReady);
    void subscriber.unsubscribe(CHANNEL).catch(() => undefined);
  }

  readonly #onReady = (): void => void this.#readAll();

  readonly #onMessage = (channel: string, text: string): void => {
    if (channel !== CHANNEL) return;
    const { provider, sender, reason, forMs } = JSON.parse(text) as Told;
    const untilAt = this.#parts.clock() + forMs;
    this.#listeners.get(provider)?.(sender === null ? null : { sender, reason, untilAt });
  };

  async #readAll(): Promise<void> {
    const { clock } = this.#parts;
    const providers = [...this.#listeners];
    const reading = providers.map(async ([provider, hear]) => {
      for (const refusal of await read(this.#redis, provider, clock)) hear(refusal);
    });
    // What cannot be read is found out anew.
    await Promise.allSettled(reading);
  }
}

/** What is remembered of a provider, by this process's clock. Rejects where Redis does not answer. */
export function readRefusals(redis: RedisClient, provider: string, clock: Clock): Promise<SenderRefusal[]> {
  return read(scripted(redis), provider, clock);
}

/** Has all workers forget what they know of a provider. Resolves with how many it were. Rejects where Redis does not answer. */
export async function forgetRefusals(redis: RedisClient, provider: string): Promise<number> {
  const count = await redis.zcard(keyOf(provider));
  await redis.del(keyOf(provider));
  const told: Told = { provider, sender: null, reason: "", forMs: 0 };
  await redis.publish(CHANNEL, JSON.stringify(told));
  return count;
}

async function read(redis: Scripted, provider: string, clock: Clock): Promise<SenderRefusal[]> {
  const found = await redis.refusalRead(keyOf(provider));
  const now = clock();
  const refusals: SenderRefusal[] = [];
  for (let at = 0; at < found.length; at += 2) {
    const [text = "", forMs] = found.slice(at, at + 2);
    const end = text.indexOf(" ");
    refusals.push({ sender: text.slice(0, end), reason: text.slice(end + 1), untilAt: now + Number(forMs) });
  }
  return refusals;
}

function scripted(redis: RedisClient): Scripted {
  redis.defineCommand("refusalTell", { numberOfKeys: 1, lua: TELL });
  redis.defineCommand("refusalRead", { numberOfKeys: 1, lua: READ });
  return redis as Scripted;
}
