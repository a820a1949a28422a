import { createHash } from "node:crypto";
import { formatProblems, parseSubmission, defaultLimits } from "./message/index.ts";
import type { MessageInput, MessageLimits } from "./message/index.ts";
import { MessageIndex } from "./operations/message-index.ts";
import { Messages } from "./operations/messages.ts";
import type { Answer, Wish } from "./operations/messages.ts";
import { openLedger } from "./operations/open-ledger.ts";
import { Follower } from "./queue/follower.ts";
import type { Ending, Following } from "./queue/follower.ts";
import { MailQueue } from "./queue/mail-queue.ts";
import { closeRedis, connectRedis } from "./redis/connection.ts";
import type { ConnectOptions, RedisClient, RedisSettings } from "./redis/connection.ts";
import { createKeyring, digestOf, removalOf, seal, unseal } from "./submission/index.ts";
import type { Keyring, KeyringSettings } from "./submission/index.ts";

export type ClientOptions = {
  readonly redis: RedisSettings;
  /** Name and key prefix of the queue; "mail" and "bull" when absent, as the gateway's own. */
  readonly queue?: { readonly name?: string; readonly prefix?: string };
  /** What the gateway takes at most, where it is configured to take less or more than its defaults. */
  readonly limits?: Partial<MessageLimits>;
  /** Seals what is pushed with the key `primary`, as the gateway's `encryption` does; nothing is sealed when absent. */
  readonly encryption?: KeyringSettings & { readonly addresses?: boolean };
  /** Where the gateway is set to `ledger.addresses: hashed`: its key, without which `cancel` would write addresses. */
  readonly ledger?: { readonly addressKey: string };
  /** Told of trouble with Redis, in a sentence without secrets. */
  readonly onError?: (sentence: string) => void;
};

/** A message that Mailover would not take. `message` names every bad field. Nothing was queued. */
export class MessageRefusedError extends Error {
  override readonly name = "MessageRefusedError";
}

/** For what `cancel` writes: a message waits no longer than its class allows, 72 h unless that is set otherwise. */
const WEEK_MS = 7 * 24 * 3_600_000;

/** Pushes messages to a gateway and follows them. Any BullMQ client can do the same; this one checks them first. */
export class MailoverClient {
  readonly #redis: RedisClient;
  readonly #queue: MailQueue;
  readonly #settings: { readonly name: string; readonly prefix: string };
  readonly #limits: MessageLimits;
  readonly #keyring: Keyring;
  readonly #sealAddresses: boolean;
  readonly #messages: Messages;
  readonly #connect: (use: ConnectOptions["use"]) => RedisClient;
  #following: { readonly redis: RedisClient; readonly follower: Follower } | null = null;

  /** Throws a RangeError where a key is none. */
  constructor({ redis, queue, limits, encryption, ledger, onError }: ClientOptions) {
    this.#settings = { name: queue?.name ?? "mail", prefix: queue?.prefix ?? "bull" };
    this.#limits = { ...defaultLimits, ...limits };
    this.#connect = (use) =>
      connectRedis(redis, { use, connectionName: "mailover-client", onError: onError ?? (() => undefined) });
    this.#redis = this.#connect("commands");
    this.#queue = new MailQueue(this.#settings, this.#redis);
    this.#keyring = createKeyring(encryption ?? {});
    this.#sealAddresses = encryption?.addresses ?? false;
    this.#messages = new Messages({
      queue: this.#queue,
      ledger: openLedger(this.#redis, ledger?.addressKey ?? null),
      index: new MessageIndex(this.#redis),
      queueName: this.#settings.name,
      keyring: this.#keyring,
      limits: this.#limits,
      keepMs: WEEK_MS,
      idempotencyMs: WEEK_MS,
      giveUpAfterMs: () => WEEK_MS,
    });
  }

  /**
   * Checks a message and pushes it. Returns the job's id once Redis has it; from then on it is the gateway's. Throws
   * MessageRefusedError on a bad message, and the error of Redis when it cannot be reached within seconds: then it is
   * not known whether the message was queued. The same `jobId`, or the same `idempotencyKey` of the same tenant, is the
   * same job for as long as it is kept; the key with another content is refused.
   */
  async send(message: MessageInput, options: { readonly jobId?: string } = {}): Promise<string> {
    const parsed = parseSubmission(message, this.#limits);
    if (!parsed.ok) throw new MessageRefusedError(formatProblems(parsed.problems));
    const { idempotencyKey, tenant } = parsed.submission;
    const data = seal(message, this.#keyring, { addresses: this.#sealAddresses });
    if (idempotencyKey === null || options.jobId !== undefined) return this.#queue.push(data, options);
    const jobId = await this.#queue.push(data, { jobId: jobIdOf(tenant, idempotencyKey) });
    await this.#refuseOther(jobId, message);
    return jobId;
  }

  /**
   * Ends a message that waits: one that no worker has had yet, that is deferred, or that is held. Its job fails with
   * `cancelled: …` when a worker comes to it. Not done where an attempt is under way or the message is over; the
   * sentence says which.
   */
  cancel(jobId: string, wish: Wish): Promise<Answer> {
    return this.#messages.cancel(jobId, wish);
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

  /** Throws where the job that has the key is of another content. What cannot be told here, its worker tells. */
  async #refuseOther(jobId: string, message: MessageInput): Promise<void> {
    const data = (await this.#queue.find(jobId))?.data;
    const opened = unseal(data, this.#keyring);
    const kept = removalOf(data)?.digest ?? (opened.ok && data !== undefined ? digestOf(opened.data) : null);
    if (kept === null || kept === digestOf(JSON.parse(JSON.stringify(message)))) return;
    throw new MessageRefusedError(`idempotencyKey: was used for another message, in job ${jobId}`);
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

/** BullMQ takes no colon in an id, and a key may be anything, of any length. */
function jobIdOf(tenant: string | null, key: string): string {
  return `key-${createHash("sha256")
    .update(JSON.stringify([tenant, key]))
    .digest("hex")
    .slice(0, 40)}`;
}
