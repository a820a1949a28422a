import { Cluster, Redis } from "ioredis";
import type { ClusterOptions, RedisOptions } from "ioredis";

import { describeError } from "./describe-error.ts";
import { within } from "./within.ts";

export type RedisClient = Redis | Cluster;

export type HostAddress = { readonly host: string; readonly port: number };

/** TLS towards Redis. `ca`, `cert` and `key` are PEM text. */
export type RedisTls = {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly servername?: string | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
};

/** Where Redis is. With `sentinels` or `cluster` the host of `url` is not used; its scheme, user and database are. */
export type RedisSettings = {
  /** `redis://` or, for TLS, `rediss://`, then user, password, host, port and database, each optional. */
  readonly url: string;
  /** Over the url's. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly tls?: RedisTls | undefined;
  readonly sentinels?:
    | { readonly name: string; readonly hosts: readonly HostAddress[]; readonly password?: string | undefined }
    | undefined;
  readonly cluster?: { readonly nodes: readonly HostAddress[] } | undefined;
};

export type ConnectOptions = {
  /**
   * `commands`: a command fails within seconds while Redis is away, so that a caller hears of it. What was written
   * before the connection broke may have been carried out all the same. `blocking`: a command waits for as long as
   * Redis is away, as BullMQ asks for workers and queue events.
   */
  readonly use: "commands" | "blocking";
  /** Shown by `CLIENT LIST`. */
  readonly connectionName: string;
  /** Told in one sentence, without secrets, of each failure to connect; ioredis goes on trying. */
  readonly onError: (sentence: string) => void;
};

/** Without a choice that changes the types of all replies. */
type Options = Omit<RedisOptions, "replyMapping">;

const connectTimeoutMs = 5_000;
const commandTimeoutMs = 5_000;
const maxRetryDelayMs = { commands: 1_000, blocking: 5_000 } as const;

// A peer that vanished without a word is noticed by this. BullMQ blocks for 10 s at most, so a live one is not hit.
const socketTimeoutMs = 30_000;

/**
 * A connection that begins to connect at once and comes back by itself. Throws on a url that is none; all other
 * failures go to `onError`.
 *
 * BullMQ 6 takes such a client as `connection`: a queue uses it as it is and leaves it open, a worker and queue events
 * duplicate it and close only their duplicates. On a Cluster all keys of a queue must share a slot: give BullMQ a
 * prefix with a hash tag, such as `{bull}`.
 */
export function connectRedis(settings: RedisSettings, options: ConnectOptions): RedisClient {
  const shared = connectionOptions(settings, options);
  const client = settings.cluster
    ? new Cluster([...settings.cluster.nodes], clusterOptions(shared, options.use))
    : new Redis(settings.sentinels ? { ...shared, ...sentinelOptions(settings.sentinels, shared) } : shared);
  const secrets = [shared.password, settings.sentinels?.password].filter((secret) => typeof secret === "string");
  client.on("error", (error: unknown) => options.onError(describeError(error, secrets)));
  return client;
}

/** Ends a connection: what was sent is answered first, where the server is there to answer. Never throws. */
export async function closeRedis(client: RedisClient, timeoutMs = 2_000): Promise<void> {
  if (client.status === "end") return;
  if (client.status === "ready") {
    const quitting = client.quit().catch(() => undefined);
    await within<unknown>(timeoutMs, quitting, () => undefined);
  }
  client.disconnect();
}

/** Milliseconds before the given reconnection, counted from 1: growing, capped and jittered. */
export function retryDelayMs(retry: number, capMs: number, random: () => number = Math.random): number {
  const grown = Math.min(capMs, 50 * 2 ** Math.min(retry - 1, 16));
  return Math.round(grown * (0.75 + random() / 4));
}

function connectionOptions(settings: RedisSettings, options: ConnectOptions): Options {
  const url = parseUrl(settings.url);
  const username = settings.username ?? unescape(url.username);
  const password = settings.password ?? unescape(url.password);
  const secure = url.protocol === "rediss:" || settings.tls !== undefined;
  return {
    host: url.hostname.replace(/^\[|\]$/g, "") || "127.0.0.1",
    port: url.port === "" ? 6379 : Number(url.port),
    db: Number(url.pathname.slice(1)),
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password }),
    ...(secure ? { tls: { ...settings.tls } } : {}),
    connectionName: options.connectionName,
    connectTimeout: connectTimeoutMs,
    socketTimeout: socketTimeoutMs,
    // A command under way when the connection breaks would wait for the next one otherwise, however long that takes.
    ...(options.use === "commands" ? { commandTimeout: commandTimeoutMs } : {}),
    maxRetriesPerRequest: options.use === "blocking" ? null : 2,
    retryStrategy: (retry) => retryDelayMs(retry, maxRetryDelayMs[options.use]),
    // After a failover the old master is read-only for a moment: connect anew and send the refused command again.
    reconnectOnError: (error) => (/^(READONLY|UNBLOCKED)\b/.test(error.message) ? 2 : false),
  };
}

function sentinelOptions(sentinels: NonNullable<RedisSettings["sentinels"]>, shared: Options): Options {
  return {
    name: sentinels.name,
    sentinels: sentinels.hosts.map(({ host, port }) => ({ host, port })),
    ...(sentinels.password === undefined ? {} : { sentinelPassword: sentinels.password }),
    ...(shared.tls ? { enableTLSForSentinelMode: true, sentinelTLS: shared.tls } : {}),
    sentinelRetryStrategy: (retry) => retryDelayMs(retry, maxRetryDelayMs.blocking),
  };
}

function clusterOptions(shared: Options, use: ConnectOptions["use"]) {
  // A cluster has database 0 only, and finds its hosts by itself.
  const { host: _host, port: _port, db: _db, retryStrategy: _retryStrategy, ...redisOptions } = shared;
  return {
    redisOptions,
    clusterRetryStrategy: (retry) => retryDelayMs(retry, maxRetryDelayMs[use]),
    // With TLS the nodes' names must stay names, or their certificates would not fit.
    ...(shared.tls ? { dnsLookup: keepName } : {}),
  } satisfies ClusterOptions;
}

const keepName: NonNullable<ClusterOptions["dnsLookup"]> = (name, callback) => callback(null, name);

/** Without the url in the error: it may hold the password. */
function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^rediss?:$/.test(url.protocol))
    throw new Error("redis.url is no redis:// or rediss:// address");
  return url;
}

/** As `new URL` leaves it where a lone % makes it no escaped text. */
function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
