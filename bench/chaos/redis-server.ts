import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { findExecutable } from "../../src/redis/embedded-command.ts";
import { runStore } from "../../src/redis/embedded-process.ts";
import type { StoreProcess } from "../../src/redis/embedded-process.ts";

/** When a write of the append-only file reaches the disk: before it is answered, or within a second. */
export type Fsync = "always" | "everysec";

const FIRST_PORT = 20_000;
const LAST_PORT = 30_000;

/** A redis-server with an append-only file that can be killed, and started again on the same file. */
export class ChaosRedis {
  readonly port: number;
  readonly url: string;
  /** Where it keeps its append-only file. */
  readonly folder: string;
  readonly fsync: Fsync;
  #server: StoreProcess | null = null;
  readonly #onExit = (): void => this.#signal("SIGKILL");

  private constructor(port: number, folder: string, fsync: Fsync) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.folder = folder;
    this.fsync = fsync;
    // It runs apart from this process, and must not outlive it.
    process.once("exit", this.#onExit);
  }

  static async start(folder: string, fsync: Fsync): Promise<ChaosRedis> {
    await mkdir(folder, { recursive: true });
    const redis = new ChaosRedis(await freePort(), folder, fsync);
    await redis.start();
    return redis;
  }

  async start(): Promise<void> {
    const file = findExecutable("redis-server", process.env["PATH"] ?? "");
    if (file === null) throw new Error("this needs redis-server on the PATH");
    const settings = {
      bind: "127.0.0.1",
      port: String(this.port),
      dir: this.folder,
      save: "",
      appendonly: "yes",
      appendfsync: this.fsync,
      // One file that only grows, so that it can be cut back to any length it had.
      "auto-aof-rewrite-percentage": "0",
      "maxmemory-policy": "noeviction",
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    this.#server = await runStore({ kind: "redis-server", persistent: true, file, args }, this.url);
  }

  /** As a crash does: nothing is written any more. */
  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.#server?.ended;
    this.#server = null;
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
    this.#server = null;
    process.removeListener("exit", this.#onExit);
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#server !== null) process.kill(this.#server.pid, signal);
  }
}

/** None of those that the kernel gives to outgoing connections: one of them would take it while Redis is down. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}
