import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { storeCommand } from "./embedded-command.ts";
import type { StoreKind } from "./embedded-command.ts";
import { runStore } from "./embedded-process.ts";
import { probeServer } from "./probe.ts";
import { isAlive, lockStart, readStoreRecord, removeStoreRecord, writeStoreRecord } from "./store-file.ts";
import type { StoreRecord } from "./store-file.ts";

export type EmbeddedStoreOptions = {
  /** Holds `store.json` and, for a native server, its append-only file. Made where it is missing. */
  readonly dataDir: string;
  /** Told in one sentence what runs and what it keeps, and of an end that nobody asked for. */
  readonly log: (sentence: string) => void;
  /** Where to look for a native server; the PATH of this process where absent. */
  readonly path?: string;
};

/** A Redis of our own on a free port of 127.0.0.1, for development, demos and tests. */
export type EmbeddedStore = {
  readonly url: string;
  readonly kind: StoreKind;
  /** Whether it finds its data again after a stop. */
  readonly persistent: boolean;
  readonly description: string;
  /** Ends the store where this process started it; one that was joined is left to its starter. */
  stop(): Promise<void>;
};

const joinTimeoutMs = 60_000;
const leftoverTimeoutMs = 10_000;
const pollMs = 50;

/**
 * Starts a store, or joins the one that runs in this folder. It ends with `stop()`, and with this process however that
 * ends. Throws a sentence for the operator where no store can be had.
 */
export async function startEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const dataDir = resolve(options.dataDir);
  const deadline = Date.now() + joinTimeoutMs;
  while (Date.now() < deadline) {
    const unlock = lockStart(dataDir);
    if (unlock === null) {
      await sleep(pollMs);
      continue;
    }
    try {
      const store = (await joinStore(dataDir)) ?? (await startStore(dataDir, options));
      options.log(store.description);
      return store;
    } finally {
      unlock();
    }
  }
  throw new Error(`another process has been starting a store in ${dataDir} for too long: remove store.lock there`);
}

/** The store that runs in this folder, or null: none was started, or it has ended since. */
export async function findEmbeddedStore(dataDir: string): Promise<EmbeddedStore | null> {
  const record = await findRunning(dataDir);
  return record === null || !isAlive(record.ownerPid) ? null : joined(record);
}

async function joinStore(dataDir: string): Promise<EmbeddedStore | null> {
  const record = await findRunning(dataDir);
  if (record === null) return null;
  if (isAlive(record.ownerPid)) return joined(record);
  await endLeftover(dataDir, record.pid);
  return null;
}

/** Its starter was killed, so it is ending or should be; its files are free for another one once it is gone. */
async function endLeftover(dataDir: string, pid: number): Promise<void> {
  const deadline = Date.now() + leftoverTimeoutMs;
  if (isAlive(pid)) process.kill(pid, "SIGTERM");
  while ((await findRunning(dataDir)) !== null) {
    if (Date.now() > deadline) throw new Error(`a store left over in ${dataDir} does not end: kill ${pid}`);
    await sleep(pollMs);
  }
}

async function findRunning(dataDir: string): Promise<StoreRecord | null> {
  const record = readStoreRecord(dataDir);
  if (record === null) return null;
  const info = await probeServer(record.url);
  return info?.get("run_id") === record.runId ? record : null;
}

async function startStore(dataDir: string, options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const directory = join(dataDir, "store");
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const command = storeCommand({ path: options.path ?? process.env["PATH"] ?? "", port, directory });
  const { kind, persistent } = command;
  if (persistent) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const child = await runStore(command, url);
  const { pid, runId } = child;
  writeStoreRecord(dataDir, { url, kind, persistent, pid, ownerPid: process.pid, runId });

  let stopping = false;
  const keeps = persistent ? `keeps its data in ${directory}` : "keeps nothing after a stop";
  const tidyUp = async (): Promise<void> => {
    const words = await child.ended;
    removeStoreRecord(dataDir, runId);
    if (!stopping) options.log(`Embedded store: ${kind} ended by itself (${words}); it ${keeps}`);
  };
  const tidied = tidyUp();
  return {
    url,
    kind,
    persistent,
    description: `Embedded store: ${kind} on 127.0.0.1:${port}; ${keeps}`,
    stop: async () => {
      stopping = true;
      await child.stop();
      await tidied;
    },
  };
}

function joined(record: StoreRecord): EmbeddedStore {
  const { url, kind, persistent, ownerPid } = record;
  return {
    url,
    kind,
    persistent,
    description: `Embedded store: ${kind} on ${new URL(url).host}, started by process ${ownerPid} and ending with it`,
    stop: () => Promise.resolve(),
  };
}

/** A port that is free now. Where another process takes it first, the start fails, and can be repeated. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening, failed) => {
    server.once("error", failed);
    server.listen(0, "127.0.0.1", listening);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
