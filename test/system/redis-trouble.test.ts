import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { mail, relaySettings, until } from "../scenario/gateway.ts";
import { Installation } from "./installation.ts";
import { RedisServer } from "./redis.ts";

let relay: RelayServer;
let redis: RedisServer;
let installation: Installation;

beforeEach(async () => {
  relay = await startRelay();
});

afterEach(async () => {
  await installation.close();
  await redis.close();
  await relay.close();
});

const install = async (): Promise<void> => {
  installation = await Installation.create({
    redis: { url: redis.url },
    retry: { delaysMs: [300], jitterPercent: 0 },
    providers: { relay: relaySettings(relay) },
  });
};

test("a Redis that may evict mail, or forgets it at a restart, is warned of at the start", async () => {
  redis = await RedisServer.start({ "maxmemory-policy": "allkeys-lru", appendonly: "no" });
  await install();
  const gateway = await installation.start();
  await gateway.logged("store.warned", ({ msg }) => /maxmemory-policy allkeys-lru/.test(String(msg)));
  await gateway.logged("store.warned", ({ msg }) => /appendonly yes/.test(String(msg)));
});

test("a Redis as it should be is warned of in nothing", async () => {
  redis = await RedisServer.start();
  await install();
  const gateway = await installation.start();
  expect(gateway.log.filter(({ event }) => event === "store.warned")).toEqual([]);
});

test("Redis is away for 5 seconds under load: all that was pushed is relayed, by the same gateway", async () => {
  // Each write reaches the disk before it is answered: what an app was told is queued is queued.
  redis = await RedisServer.start({ appendfsync: "always" });
  await install();
  relay.setFault({ kind: "slow", delayMs: 10 });
  const gateway = await installation.start();
  const client = installation.client(redis.url);
  const jobs: string[] = [];
  let refusedCount = 0;
  const enough = new AbortController();
  const push = async (): Promise<void> => {
    for (; !enough.signal.aborted; await sleep(10)) {
      // What fails is not known to be queued: an app would push it again, with the same jobId.
      await client.send(mail({ subject: `Order ${jobs.length}` })).then(
        (jobId) => jobs.push(jobId),
        () => (refusedCount += 1),
      );
    }
  };
  const pushed = push();
  await until("mail flows", () => relay.accepted.length > 50);
  await redis.stop();
  const acceptedBefore = relay.accepted.length;
  await sleep(5_000);
  await redis.start();
  await until("mail flows again", () => relay.accepted.length > acceptedBefore + 100, 30_000);
  enough.abort();
  await pushed;
  expect(refusedCount).toBeGreaterThan(0);
  const ends = await Promise.all(jobs.map((job) => client.follow(job, { signal: AbortSignal.timeout(60_000) })));
  expect(new Set(ends.map(({ kind }) => kind))).toEqual(new Set(["relayed"]));
  expect(gateway.isRunning).toBe(true);

  // A second copy may come only of messages that were under way when Redis went: at most as many as run at once.
  const ids = relay.accepted.map(({ mailoverId }) => mailoverId);
  expect(ids.length - new Set(ids).size).toBeLessThanOrEqual(100);
  expect(new Set(ids).size).toBeGreaterThanOrEqual(jobs.length);
});
