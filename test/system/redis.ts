import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeRedis, connectRedis } from "../../src/redis/connection.ts";
import { runStore } from "../../src/redis/embedded-process.ts";
import type { StoreProcess } from "../../src/redis/embedded-process.ts";
import { freePort, redisServer } from "../unit/redis/real-server.ts";

/** A redis-server with an append-only file, as in production, which can be stopped and started again. */
export class RedisServer {
  readonly url: string;
  readonly #folder: string;
  readonly #args: readonly string[];
  #server: StoreProcess | null = null;

  private constructor(port: number, folder: string, settings: Readonly<Record<string, string>>) {
    this.url = `redis://127.0.0.1:${port}`;
    this.#folder = folder;
    const all = {
      bind: "127.0.0.1",
      port: String(port),
      dir: folder,
      save: "",
      appendonly: "yes",
      "maxmemory-policy": "noeviction",
      ...settings,
    };
    this.#args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
  }

  /** `settings` go over the usual ones. Throws where there is no redis-server: the system tests need one. */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), "mailover-redis-"));
    const redis = new RedisServer(await freePort(), folder, settings);
    await redis.start();
    return redis;
  }

  async start(): Promise<void> {
    if (redisServer === null) throw new Error("the system tests need redis-server on the PATH");
    const command = { kind: "redis-server", persistent: true, file: redisServer, args: this.#args } as const;
    this.#server = await runStore(command, this.url);
  }

  /** From now on it wants this password. `stop` works all the same. */
  async setPassword(password: string): Promise<void> {
    const client = connectRedis(
      { url: this.url },
      { use: "commands", connectionName: "test", onError: () => undefined },
    );
    await client.config("SET", "requirepass", password);
    await closeRedis(client);
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
    this.#server = null;
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
