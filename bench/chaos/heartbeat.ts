import { setTimeout as sleep } from "node:timers/promises";
import type { RedisClient } from "../../src/redis/connection.ts";

const KEY = "chaos:heartbeat";
const BEAT_EVERY_MS = 10;

/** Writes the time into Redis again and again: what Redis knows of it after a cut says until when it remembers everything. */
export class Heartbeat {
  readonly #redis: RedisClient;
  #beating: Promise<number> = Promise.resolve(0);
  #isStopped = true;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  start(): void {
    this.#isStopped = false;
    this.#beating = this.#beat();
  }

  /** Returns the last time that Redis acknowledged. */
  stop(): Promise<number> {
    this.#isStopped = true;
    return this.#beating;
  }

  /** The last time that Redis still knows; all that was written before it is known too. 0 for none. */
  async remembered(): Promise<number> {
    return Number((await this.#redis.get(KEY)) ?? 0);
  }

  async #beat(): Promise<number> {
    let knownAt = 0;
    while (!this.#isStopped) {
      const at = Date.now();
      await this.#redis.set(KEY, at);
      knownAt = at;
      await sleep(BEAT_EVERY_MS);
    }
    return knownAt;
  }
}
