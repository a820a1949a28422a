import { formatProblems, parseSubmission, defaultLimits } from "./message/index.ts";
import type { MessageInput, MessageLimits } from "./message/index.ts";
import { Follower } from "./queue/follower.ts";
import type { Ending, Following } from "./queue/follower.ts";
import { MailQueue } from "./queue/mail-queue.ts";
import { closeRedis, connectRedis } from "./redis/connection.ts";
import type { ConnectOptions, RedisClient, RedisSettings } from "./redis/connection.ts";

export type ClientOptions = {
  readonly redis: RedisSettings;
  /** Name and key prefix of the queue; "mail" and "bull" when absent, as the gateway's own. */
  readonly queue?: { readonly name?: string; readonly prefix?: string };
  /** What the gateway takes at most, where it is configured to take less or more than its defaults. */
  readonly limits?: Partial<MessageLimits>;
  /** Told of trouble with Redis, in a sentence without secrets. */
  readonly onError?: (sentence: string) => void;
};

/** A message that Mailover would not take. `message` names every bad field. Nothing was queued. */
export class MessageRefusedError extends Error {
  override readonly name = "MessageRefusedError";
}

/** Pushes messages to a gateway and follows them. Any BullMQ client can do the same; this one checks them first. */
export class MailoverClient {
  readonly #redis: RedisClient;
  readonly #queue: MailQueue;
  readonly #settings: { readonly name: string; readonly prefix: string };
  readonly #limits: MessageLimits;
  readonly #connect: (use: ConnectOptions["use"]) => RedisClient;
  #following: { readonly redis: RedisClient; readonly follower: Follower } | null = null;

  constructor({ redis, queue, limits, onError }: ClientOptions) {
    this.#settings = { name: queue?.name ?? "mail", prefix: queue?.prefix ?? "bull" };
    this.#limits = { ...defaultLimits, ...limits };
    this.#connect = (use) =>
      connectRedis(redis, { use, connectionName: "mailover-client", onError: onError ?? (() => undefined) });
    this.#redis = this.#connect("commands");
    this.#queue = new MailQueue(this.#settings, this.#redis);
  }

  /**
   * Checks a message and pushes it. Returns the job's id once Redis has it; from then on it is the gateway's. Throws
   * MessageRefusedError on a bad message, and the error of Redis when it cannot be reached within seconds: then it is
   * not known whether the message was queued. The same `jobId` is the same job for as long as it is kept.
   */
  async send(message: MessageInput, options: { readonly jobId?: string } = {}): Promise<string> {
    const parsed = parseSubmission(message, this.#limits);
    if (!parsed.ok) throw new MessageRefusedError(formatProblems(parsed.problems));
    return this.#queue.push(message, options);
  }

  /** Follows a message to its end, which it resolves with. Rejects with the signal's reason when that aborts. */
  async follow(
    jobId: string,
    options: { readonly onStep?: (step: Following) => void; readonly signal?: AbortSignal } = {},
  ): Promise<Ending> {
    return this.#follower().follow(
      jobId,
      options.onStep ?? (() => undefined),
      options.signal ?? new AbortController().signal,
    );
  }

  async close(): Promise<void> {
    await this.#following?.follower.close();
    await this.#queue.close();
    if (this.#following !== null) await closeRedis(this.#following.redis);
    await closeRedis(this.#redis);
  }

  /** On a connection of its own: BullMQ's events wait for as long as Redis is away, a push must not. */
  #follower(): Follower {
    if (this.#following === null) {
      const redis = this.#connect("blocking");
      this.#following = { redis, follower: new Follower(this.#settings, redis) };
    }
    return this.#following.follower;
  }
}
