import type { Clock, Emit } from "../core/index.ts";
import type { RedisClient } from "../redis/connection.ts";
import { within } from "../redis/within.ts";
import { ChangeLog } from "./change-log.ts";
import type { News } from "./change-log.ts";
import { describeChange, describeHeld } from "./describe.ts";
import { CHANNEL } from "./keys.ts";
import type { Overlay } from "./overlay.ts";
import type { Pools } from "./pools.ts";
import { NO_CHANGES, endedBetween, nextEndAfter, overlayAt } from "./state.ts";
import type { ControlState, Held } from "./state.ts";

export type RedisControlsParts = {
  /** For commands; fails within seconds while Redis is away. */
  readonly redis: RedisClient;
  /** A connection that subscribes; others may use it for channels of their own. */
  readonly subscriber: RedisClient;
  /** As this worker has them configured. */
  readonly pools?: Pools;
  readonly clock: Clock;
  readonly emit: Emit;
  /** Told once each time that the log cannot be read any more. */
  readonly onError: (error: Error) => void;
};

/** A message of Redis that was lost costs so much. */
const POLL_MS = 1_000;

const START_LIMIT_MS = 2_000;

/**
 * Follows the control log: told of a change by pub/sub, and asking for its version each second. While Redis is away the
 * latest that was read stays, and what has an end ends all the same.
 */
export class RedisControls {
  readonly #parts: RedisControlsParts;
  readonly #log: ChangeLog;
  #state = NO_CHANGES;
  /** By how much Redis's clock is ahead of this worker's, in milliseconds. */
  #aheadMs = 0;
  /** Until when all that ends by itself was told of, and when the next of it ends, by Redis's clock. */
  #toldUntil = 0;
  #nextEndAt = Infinity;
  #overlay: Overlay = overlayAt(NO_CHANGES, 0);
  #isKnown = false;
  #isTroubled = false;
  #isStopped = false;
  #isSubscribed = false;
  #timer: NodeJS.Timeout | null = null;
  #reading: Promise<void> | null = null;
  #isStale = false;

  constructor(parts: RedisControlsParts) {
    this.#parts = parts;
    this.#log = new ChangeLog(parts.redis);
  }

  /** What holds now, as this worker has it in memory. The same object until something changes. */
  get overlay(): Overlay {
    this.#end();
    return this.#overlay;
  }

  /** All that the log comes to, for those who conduct cutovers. */
  get state(): ControlState {
    return this.#state;
  }

  /** Ends when what holds is known, or cannot be had now. */
  async start(): Promise<void> {
    this.#parts.subscriber.on("message", this.#onMessage);
    this.#timer = setInterval(() => void this.#poll(), POLL_MS).unref();
    await within(START_LIMIT_MS, this.#poll(), () => undefined);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    const { subscriber } = this.#parts;
    subscriber.off("message", this.#onMessage);
    // One that is not connected is no longer told of anything, either.
    if (subscriber.status === "ready") await subscriber.unsubscribe(CHANNEL).catch(() => undefined);
  }

  readonly #onMessage = (channel: string): void => {
    if (channel === CHANNEL) void this.#read();
  };

  async #poll(): Promise<void> {
    // Also while Redis is away, and while a question to it waits for its return.
    this.#end();
    void this.#subscribe();
    await this.#read();
  }

  /** What was changed before it was subscribed is read after. ioredis itself subscribes anew after each reconnection. */
  async #subscribe(): Promise<void> {
    if (this.#isSubscribed) return;
    this.#isSubscribed = true;
    try {
      await this.#parts.subscriber.subscribe(CHANNEL);
      await this.#read();
    } catch {
      this.#isSubscribed = false;
    }
  }

  /** One at a time, so that an older answer never comes after a newer one; who asks meanwhile gets one more. */
  #read(): Promise<void> {
    this.#isStale = true;
    this.#reading ??= this.#readUntilFresh().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readUntilFresh(): Promise<void> {
    while (this.#isStale && !this.#isStopped) {
      this.#isStale = false;
      const askedAt = this.#parts.clock();
      try {
        const news = await this.#log.readAfter(this.#state);
        if (this.#isStopped) return;
        this.#aheadMs = news.now - (askedAt + this.#parts.clock()) / 2;
        this.#isTroubled = false;
        this.#take(news);
      } catch (error) {
        if (!this.#isTroubled && !this.#isStopped) this.#parts.onError(error as Error);
        this.#isTroubled = true;
      }
    }
  }

  #take({ now, changes, state, isLost }: News): void {
    if (!this.#isKnown) {
      // What was made before this worker began is not new.
      this.#isKnown = true;
      this.#toldUntil = now;
      this.#hold(state);
      return;
    }
    if (state === this.#state) return;
    this.#end();
    if (isLost) {
      this.#tell(state.version, "redis", "changes made before are gone from Redis: what they changed is as configured");
    }
    this.#hold(state);
    for (const change of changes) this.#tell(change.version, change.by, describeChange(change));
  }

  /** What has its end by itself ends now, if it is time. */
  #end(): void {
    const now = this.#parts.clock() + this.#aheadMs;
    if (now < this.#nextEndAt) return;
    const ended = endedBetween(this.#state, this.#toldUntil, now);
    this.#toldUntil = now;
    this.#hold(this.#state);
    for (const held of ended) this.#tell(this.#state.version, held.value?.by ?? "", endSentence(held));
  }

  #hold(state: ControlState): void {
    const now = this.#parts.clock() + this.#aheadMs;
    this.#state = state;
    this.#nextEndAt = nextEndAfter(state, now);
    this.#overlay = overlayAt(state, now, this.#aheadMs, this.#parts.pools);
  }

  #tell(version: number, by: string, sentence: string): void {
    this.#parts.emit({ type: "control.changed", version, by, sentence });
  }
}

function endSentence(held: Held): string {
  return `its time is over: ${describeHeld({ ...held, value: null } as Held)}`;
}
