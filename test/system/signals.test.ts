import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { mail, relaySettings, until } from "../scenario/gateway.ts";
import { isAlive } from "../../src/redis/store-file.ts";
import { Installation } from "./installation.ts";
import { RedisServer } from "./redis.ts";

const SHUTDOWN_MS = 4_000;

let redis: RedisServer;
let relay: RelayServer;
let installation: Installation;

beforeEach(async () => {
  redis = await RedisServer.start();
  relay = await startRelay();
  installation = await Installation.create({
    redis: { url: redis.url },
    delivery: { shutdownMs: SHUTDOWN_MS, slowAfterMs: 60_000 },
    retry: { delaysMs: [300], jitterPercent: 0 },
    log: { level: "debug" },
    providers: { relay: relaySettings(relay) },
  });
});

afterEach(async () => {
  await installation.close();
  await relay.close();
  await redis.close();
});

const relayed = async (jobs: readonly string[]): Promise<void> => {
  const client = installation.client(redis.url);
  const ends = await Promise.all(jobs.map((job) => client.follow(job, { signal: AbortSignal.timeout(45_000) })));
  expect(new Set(ends.map(({ kind }) => kind))).toEqual(new Set(["relayed"]));
};

test("SIGTERM under load: it ends with code 0 in time, and another gateway relays the rest, each message once", async () => {
  relay.setFault({ kind: "slow", delayMs: 20 });
  const gateway = await installation.start();
  const client = installation.client(redis.url);
  const jobs = await Promise.all(Array.from({ length: 400 }, () => client.send(mail())));
  await until("some are relayed", () => relay.accepted.length > 20);
  gateway.send("SIGTERM");
  const exit = await gateway.exit;
  expect(exit).toMatchObject({ code: 0, signal: null });
  expect(exit.tookMs).toBeLessThan(SHUTDOWN_MS);
  expect(gateway.log.at(-1)?.event).toBe("gateway.stopped");
  expect(relay.accepted.length).toBeLessThan(400);
  await installation.start();
  await relayed(jobs);
  expect(relay.accepted).toHaveLength(400);
});

test("SIGTERM while a server is silent: it hands the message back in time, with code 0", async () => {
  relay.setFault({ kind: "silence", at: "mail" });
  const gateway = await installation.start();
  const jobId = await installation.client(redis.url).send(mail());
  await gateway.logged("attempt.started");
  gateway.send("SIGTERM");
  const exit = await gateway.exit;
  expect(exit).toMatchObject({ code: 0, signal: null });
  expect(exit.tookMs).toBeLessThan(SHUTDOWN_MS);
  relay.setFault(null);
  await installation.start();
  await relayed([jobId]);
  expect(relay.accepted).toHaveLength(1);
});

test("a second SIGTERM ends it at once, with code 1, and the message is taken up again", async () => {
  relay.setFault({ kind: "silence", at: "mail" });
  const gateway = await installation.start();
  const jobId = await installation.client(redis.url).send(mail());
  await gateway.logged("attempt.started");
  gateway.send("SIGTERM");
  await gateway.logged("gateway.stopping");
  gateway.send("SIGTERM");
  const exit = await gateway.exit;
  expect(exit).toMatchObject({ code: 1, signal: null });
  expect(exit.tookMs).toBeLessThan(1_000);
  relay.setFault(null);
  await installation.start();
  // The lock of the one that is gone runs out first.
  await relayed([jobId]);
  expect(relay.accepted).toHaveLength(1);
}, 90_000);

test("SIGINT in the middle of the demo: it ends with code 130 and leaves neither process nor file", async () => {
  const demo = installation.spawn(["demo", "--plain"]);
  await until("the demo is under way", () => demo.stdout.includes("Microsoft 365 refuses connections"), 60_000);
  const before = await processesOf(demo.pid);
  expect(before.length).toBeGreaterThan(1);
  demo.send("SIGINT");
  const exit = await demo.exit;
  expect(exit).toMatchObject({ code: 130, signal: null });
  expect(exit.tookMs).toBeLessThan(10_000);
  await until("its processes are gone", () => before.every((pid) => !isAlive(pid)), 5_000);
  expect(await readdir(join(installation.folder, "tmp"))).toEqual([]);
});

/** A process and all below it. */
async function processesOf(pid: number): Promise<number[]> {
  const all = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = await Promise.all(all.map(async (child) => [child, await parentOf(child)] as const));
  const below = (parent: number): number[] => [
    parent,
    ...parents.flatMap(([child, itsParent]) => (itsParent === parent ? below(child) : [])),
  ];
  return below(pid);
}

async function parentOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
}
