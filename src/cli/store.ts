import type { Config } from "../config/index.ts";
import { connectRedis } from "../redis/connection.ts";
import type { ConnectOptions, RedisClient } from "../redis/connection.ts";
import { findEmbeddedStore } from "../redis/embedded.ts";

/** A connection to the Redis of the configuration; an embedded one must be running. Throws a sentence for people. */
export async function connectStore(
  config: Config,
  connectionName: string,
  use: ConnectOptions["use"],
): Promise<RedisClient> {
  const url = config.redis.url === "embedded" ? await embeddedUrl(config.redis.dataDir) : config.redis.url;
  let told = false;
  return connectRedis(
    { ...config.redis, url },
    {
      use,
      connectionName,
      onError: (sentence) => {
        if (!told) process.stderr.write(`redis: ${sentence}\n`);
        told = true;
      },
    },
  );
}

async function embeddedUrl(dataDir: string): Promise<string> {
  const store = await findEmbeddedStore(dataDir);
  if (store === null) throw new Error(`no store runs in ${dataDir}: start the gateway first, with: mailover start`);
  return store.url;
}
