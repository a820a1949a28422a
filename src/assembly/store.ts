import type { Config } from "../config/index.ts";
import { closeRedis, connectRedis } from "../redis/connection.ts";
import type { ConnectOptions, RedisClient } from "../redis/connection.ts";
import { startEmbeddedStore } from "../redis/embedded.ts";
import { checkServer } from "../redis/server-check.ts";
import type { Log } from "../telemetry/log.ts";
import type { Closing } from "./closing.ts";

/** The connections of a gateway. */
export type Store = {
  /** BullMQ's: its commands wait for as long as Redis is away. */
  readonly blocking: RedisClient;
  /**
   * Its commands fail while Redis is away: an attempt that cannot be written down must end within seconds, and not hang on
   * to its provider; and a worker must know soon that it is alone.
   */
  readonly commands: RedisClient;
  readonly subscriber: RedisClient;
};

/** Connects to Redis, or starts an embedded store first. Throws a sentence for the operator when it is no use. */
export async function openStore(config: Config, log: Log, closing: Closing): Promise<Store> {
  const url = await urlOf(config, log, closing);
  const connect = (use: ConnectOptions["use"], connectionName: string): RedisClient => {
    const onError = (sentence: string): void => log.troubled("redis", sentence);
    const redis = connectRedis({ ...config.redis, url }, { use, connectionName, onError });
    closing.push(() => closeRedis(redis));
    return redis;
  };
  const blocking = connect("blocking", "mailover");
  const check = await checkServer(blocking);
  if (!check.ok) throw new Error(check.problem);
  // What an embedded store keeps has been said by itself.
  if (config.redis.url !== "embedded") for (const warning of check.warnings) log.storeWarned(warning);
  const commands = connect("commands", "mailover-commands");
  return { blocking, commands, subscriber: connect("blocking", "mailover-subscriber") };
}

async function urlOf(config: Config, log: Log, closing: Closing): Promise<string> {
  if (config.redis.url !== "embedded") return config.redis.url;
  const store = await startEmbeddedStore({
    dataDir: config.redis.dataDir,
    log: (sentence) => log.storeNoted(sentence),
  });
  closing.push(() => store.stop());
  return store.url;
}
