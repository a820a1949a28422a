import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { findExecutable } from "../../../src/redis/embedded-command.ts";
import { runStore } from "../../../src/redis/embedded-process.ts";

export const redisServer = findExecutable("redis-server", process.env["PATH"] ?? "");

/** A folder of one's own; `remove` it after use. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "mailover-redis-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** A redis-server with these arguments besides the usual; it keeps nothing. `password` is for asking it whether it is up. */
export async function startRedis(options: { port: number; args?: readonly string[]; password?: string }) {
  const folder = temporaryFolder();
  const usual = ["--bind", "127.0.0.1", "--port", String(options.port), "--dir", folder.path, "--save", ""];
  const command = {
    kind: "redis-server",
    persistent: false,
    file: redisServer ?? "redis-server",
    args: [...(options.args ?? []), ...usual],
  } as const;
  const auth = options.password === undefined ? "" : `:${encodeURIComponent(options.password)}@`;
  const url = `redis://${auth}127.0.0.1:${options.port}`;
  const server = await runStore(command, url);
  return {
    url,
    stop: async () => {
      await server.stop();
      folder.remove();
    },
  };
}
