import type { RedisClient } from "../../redis/connection.ts";
import { within } from "../../redis/within.ts";
import type { Fleet, FleetSeat, SeatParts } from "./fleet.ts";
import { Member } from "./member.ts";
import type { MemberOptions } from "./member.ts";
import { FleetStore } from "./store.ts";

export type RedisFleetOptions = Omit<MemberOptions, "store" | "onNews"> & {
  /** For commands, which must fail within seconds while Redis is away. */
  readonly redis: RedisClient;
  /** Another connection, for subscriptions; others may use it for theirs. */
  readonly subscriber: RedisClient;
};

const BEAT_MS = 1_000;

/** A beat that is not answered by then: Redis is away. With the time between two beats it is found within 3 s. */
const ANSWER_MS = 2_000;

/** Whoever starts or stops is not held up for longer, whatever Redis does. */
const START_MS = 2_000;
const STOP_MS = 1_000;

/** After the instant at which something falls due: the clocks agree to a few milliseconds only. */
const DUE_MARGIN_MS = 5;

/**
 * The workers of a Redis as one fleet. Each tells its news and hears all there is with one command a second, at once where
 * it has news, where another worker says on the channel that something changed, and where something falls due.
 */
export class RedisFleet implements Fleet {
  readonly #member: Member;
  readonly #store: FleetStore;
  readonly #options: RedisFleetOptions;
  #timer: NodeJS.Timeout | undefined;
  #isBeating = false;
  #isDue = false;
  #isAway = false;
  #isSubscribed = false;
  #isStarted = false;
  #isStopped = false;

  constructor(options: RedisFleetOptions) {
    this.#options = options;
    this.#store = new FleetStore(options.redis);
    this.#member = new Member({ ...options, store: this.#store, onNews: () => this.#wake() });
  }

  join(provider: string, parts: SeatParts): FleetSeat {
    return this.#member.join(provider, parts);
  }

  async start(): Promise<void> {
    this.#isStarted = true;
    this.#options.subscriber.on("message", this.#onMessage);
    // What is said from here on is heard, and what was said before is in the answer.
    await within<unknown>(START_MS, Promise.all([this.#subscribe(), this.#beat()]), () => undefined);
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    clearTimeout(this.#timer);
    const { subscriber } = this.#options;
    subscriber.off("message", this.#onMessage);
    if (!this.#isStarted) return;
    const unsubscribed = subscriber.unsubscribe(this.#store.keys.channel).catch(() => undefined);
    const left = this.#member.leave().catch(() => undefined);
    await within<unknown>(STOP_MS, Promise.all([unsubscribed, left]), () => undefined);
  }

  readonly #onMessage = (channel: string, worker: string): void => {
    // The answer that it had with its own beat is no older.
    if (channel === this.#store.keys.channel && worker !== this.#member.id) this.#wake();
  };

  /** Beats as soon as may be. */
  #wake(): void {
    if (!this.#isStarted || this.#isStopped) return;
    if (this.#isBeating) this.#isDue = true;
    else void this.#beat();
  }

  /** One at a time, so that answers come in the order of the questions. Never rejects. */
  async #beat(): Promise<void> {
    clearTimeout(this.#timer);
    this.#isBeating = true;
    this.#isDue = false;
    void this.#subscribe();
    const late = (): void => this.#lost(new Error(`no answer from Redis within ${ANSWER_MS} ms`));
    const deadline = setTimeout(late, ANSWER_MS).unref();
    try {
      await this.#member.beat();
      this.#isAway = false;
    } catch (error) {
      this.#lost(error instanceof Error ? error : new Error(String(error)));
      // It can wait for the next beat, as all else.
      this.#isDue = false;
    }
    clearTimeout(deadline);
    this.#isBeating = false;
    if (!this.#isStopped) this.#timer = setTimeout(() => this.#wake(), this.#waitMs()).unref();
  }

  #waitMs(): number {
    if (this.#isDue) return 0;
    const dueInMs = this.#member.dueAt() - this.#options.clock() + DUE_MARGIN_MS;
    return Math.max(0, Math.min(BEAT_MS, dueInMs));
  }

  #lost(error: Error): void {
    if (this.#isStopped) return;
    this.#member.lost();
    if (!this.#isAway) this.#options.onError(error);
    this.#isAway = true;
  }

  /** Once; ioredis repeats it after each reconnection. What is said meanwhile is heard with the next beat. */
  async #subscribe(): Promise<void> {
    if (this.#isSubscribed) return;
    this.#isSubscribed = true;
    try {
      await this.#options.subscriber.subscribe(this.#store.keys.channel);
    } catch {
      this.#isSubscribed = false;
    }
  }
}
