import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { readFleet } from "../../src/gate/fleet/read-fleet.ts";
import type { ProviderReport } from "../../src/gate/fleet/read-fleet.ts";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { closeRedis, connectRedis } from "../../src/redis/connection.ts";
import type { RedisClient } from "../../src/redis/connection.ts";
import { relaySettings, until } from "../scenario/gateway.ts";
import { freePort } from "../unit/redis/real-server.ts";
import { SteadyLoad, acceptedBetween, acceptedSubjects, toleranceOf } from "./fleet/steady-load.ts";
import { firstSince, linesOf } from "./fleet/worker-log.ts";
import { Installation } from "./installation.ts";
import type { Program } from "./installation.ts";
import { RedisServer } from "./redis.ts";

/**
 * Three gateways on one Redis, as one fleet, under a steady load, told as one story: each test goes on where the one before
 * it ended. Waits are shorter than by default, so that all is over in a minute and a half.
 */
const RATE_PER_SECOND = 60;
const PROBE_MS = 2_000;
const OPEN_MS = 1_000;
const RAMP_STEP_MS = 2_500;
const STEPS = [5, 25, 50, 100];

/** A lease of a probe ends so long after the probe must have, where its worker does not end it. */
const LEASE_MARGIN_MS = 5_000;

const SETTINGS = {
  breaker: {
    openMs: OPEN_MS,
    openMaxMs: OPEN_MS,
    jitterPercent: 0,
    probeTimeoutMs: PROBE_MS,
    rampPercents: STEPS.slice(0, -1),
    rampStepMs: RAMP_STEP_MS,
  },
  retry: { delaysMs: [300], jitterPercent: 0 },
};

let redis: RedisServer;
let client: RedisClient;
let primary: RelayServer;
let fallback: RelayServer;
let installation: Installation;
let load: SteadyLoad;
let workers: Program[];

beforeAll(async () => {
  redis = await RedisServer.start();
  client = connectRedis({ url: redis.url }, { use: "commands", connectionName: "test", onError: () => undefined });
  primary = await startRelay({ name: "primary" });
  fallback = await startRelay({ name: "fallback" });
  installation = await Installation.create({
    ...SETTINGS,
    redis: { url: redis.url },
    providers: {
      primary: relaySettings(primary, { priority: 10 }),
      fallback: relaySettings(fallback, { priority: 20 }),
    },
  });
  workers = await Promise.all([1, 2, 3].map(() => installation.start()));
  load = new SteadyLoad(installation.client(redis.url), { name: "load", ratePerSecond: RATE_PER_SECOND });
  await until("all work", () => workers.every((worker) => linesOf(worker, "message.relayed").length > 20), 30_000);
});

afterAll(async () => {
  await load.stop();
  await installation.close();
  await closeRedis(client);
  await redis.close();
  await primary.close();
  await fallback.close();
});

const held = async (): Promise<ProviderReport> => {
  const [report] = await readFleet(client, ["primary"]);
  if (report === undefined) throw new Error("the fleet knows no primary");
  return report;
};

/** Waits until all these workers have heard of a move of the primary since then; when each did. */
const allHeard = async (who: readonly Program[], to: string, since: number, timeoutMs = 15_000): Promise<number[]> => {
  const heard = (): (number | undefined)[] =>
    who.map((worker) => firstSince(worker, since, "fleet.changed", { provider: "primary", to })?.at);
  await until(`all heard that primary is ${to}`, () => heard().every((at) => at !== undefined), timeoutMs);
  return heard().map(Number);
};

/** The probes that ended since then, as their workers told of them. */
const probesSince = (since: number) =>
  workers
    .flatMap((worker) => linesOf(worker, "probe.ended").map((line) => ({ ...line, worker })))
    .filter(({ at }) => at >= since)
    .toSorted((one, other) => one.at - other.at);

test("what two of three workers find out shuts the provider for all within a second", async () => {
  const brokenAt = Date.now();
  await primary.setFault({ kind: "refuse" });
  const heardAt = await allHeard(workers, "open", brokenAt);
  const openings = workers.map((worker) => firstSince(worker, brokenAt, "breaker.changed", { to: "open" })?.at);
  const firstAt = Math.min(...openings.map((at) => at ?? Infinity));
  for (const at of heardAt) expect(at - firstAt).toBeLessThan(1_000);
  expect((await held()).state).toMatchObject({ kind: "open" });
});

test("one worker at a time probes it; a worker that starts now knows, and sends nothing there", async () => {
  const connectionsBefore = primary.connectionCount;
  await primary.setFault({ kind: "silence", at: "connect" });
  const since = Date.now();
  const late = await installation.start({ MAILOVER_LOG_LEVEL: "debug" });
  workers.push(late);
  let mostAtOnce = 0;
  const probing = (): boolean => {
    mostAtOnce = Math.max(mostAtOnce, primary.connections);
    return probesSince(since).length >= 3;
  };
  await until("it was probed three times", probing, 30_000);
  expect(mostAtOnce).toBe(1);
  // Whoever else connects brings mail; the last connection may be of a probe that has just begun.
  const probes = probesSince(since);
  expect(primary.connectionCount - connectionsBefore).toBeLessThanOrEqual(probes.length + 1);
  const gapsMs = probes.slice(1).map(({ at }, index) => at - (probes[index]?.at ?? 0));
  for (const gapMs of gapsMs) expect(gapMs).toBeGreaterThan(PROBE_MS + OPEN_MS / 2);

  const startedAt = linesOf(late, "gateway.started")[0]?.at ?? 0;
  const knewAt = firstSince(late, 0, "fleet.changed", { provider: "primary", to: "open" })?.at ?? Infinity;
  expect(knewAt - startedAt).toBeLessThan(1_000);
  await until("it works", () => linesOf(late, "message.relayed", { provider: "fallback" }).length > 10);
  expect(linesOf(late, "attempt.started", { provider: "primary" })).toEqual([]);
});

test("where the one that probes is killed, another one takes over", async () => {
  const found: { prober: Program | null } = { prober: null };
  await until("somebody probes", async () => {
    const { probedBy } = await held();
    found.prober = workers.find(({ pid }) => probedBy?.endsWith(`:${pid}`)) ?? null;
    return found.prober !== null && primary.connections === 1;
  });
  const prober = found.prober as Program;
  prober.send("SIGKILL");
  await prober.exit;
  const killedAt = Date.now();
  workers = workers.filter((worker) => worker !== prober);
  let mostAtOnce = 0;
  const probed = (): boolean => {
    mostAtOnce = Math.max(mostAtOnce, primary.connections);
    return probesSince(killedAt).length > 0;
  };
  await until("another one probes", probed, PROBE_MS + LEASE_MARGIN_MS + PROBE_MS + 5_000);
  expect(mostAtOnce).toBe(1);
});

test("it comes back by steps, with the share of each, and no message meets a failure", async () => {
  const liftedAt = Date.now();
  await primary.setFault(null);
  await allHeard(workers, "closed", liftedAt, 40_000);
  await sleep(1_500);
  const steps = workers.map((worker) => linesOf(worker, "ramp.stepped").filter(({ at }) => at >= liftedAt));
  for (const ofWorker of steps) expect(ofWorker.map(({ percent }) => percent)).toEqual(STEPS);
  for (const [index, percent] of STEPS.entries()) {
    // What was under way when the step began still goes by the one before.
    const from = Math.max(...steps.map((ofWorker) => ofWorker[index]?.at ?? 0)) + 500;
    const next = Math.min(...steps.map((ofWorker) => ofWorker[index + 1]?.at ?? Date.now()));
    const there = acceptedBetween(primary, from, next);
    const all = there + acceptedBetween(fallback, from, next);
    expect(all, `messages in the step of ${percent} %`).toBeGreaterThan(20);
    expect(there, "of them at the primary").toBeGreaterThan(0);
    expect(Math.abs(there - (all * percent) / 100)).toBeLessThanOrEqual(toleranceOf(percent, all));
    expect(next - from).toBeGreaterThan(percent < 100 ? RAMP_STEP_MS * 0.6 : 500);
  }
  const failed = workers.flatMap((worker) =>
    linesOf(worker, "attempt.ended").filter(({ at, outcome }) => at >= liftedAt && outcome !== "relayed"),
  );
  expect(failed).toEqual([]);
});

test("a worker whose own network is broken shuts the provider for itself alone", async () => {
  const since = Date.now();
  const sick = await installation.start({ MAILOVER_PROVIDERS_PRIMARY_PORT: String(await freePort()) });
  onTestFinished(async () => void (await sick.stop()));
  await until("it found out", () => firstSince(sick, since, "breaker.changed", { to: "open" }) !== undefined);
  await until("it works", () => linesOf(sick, "message.relayed", { provider: "fallback" }).length > 20);
  await sleep(2_000);
  const { state, votes } = await held();
  expect(state).toEqual({ kind: "closed" });
  expect(votes.map(({ worker }) => worker)).toEqual([expect.stringMatching(new RegExp(`:${sick.pid}$`))]);
  for (const worker of workers) {
    expect(firstSince(worker, since, "fleet.changed")).toBeUndefined();
    const relayed = linesOf(worker, "message.relayed").filter(({ at }) => at >= since);
    expect(relayed.length).toBeGreaterThan(20);
    expect(new Set(relayed.map(({ provider }) => provider))).toEqual(new Set(["primary"]));
  }
});

test("Redis away for 20 s: each worker finds its own way back, and then they are one fleet again", async () => {
  const brokenAt = Date.now();
  await primary.setFault({ kind: "refuse" });
  await allHeard(workers, "open", brokenAt);
  const openOnes = workers.filter((worker) => firstSince(worker, brokenAt, "breaker.changed", { to: "open" }));
  expect(openOnes.length).toBeGreaterThanOrEqual(2);
  const awayAt = Date.now();
  await redis.stop();
  await allHeard(workers, "closed", awayAt, 10_000);
  const each = (event: string, fields: Readonly<Record<string, unknown>>) => (): boolean =>
    openOnes.every((worker) => firstSince(worker, awayAt, event, fields) !== undefined);
  await until("each probes alone", each("probe.ended", { ok: false }));
  await primary.setFault(null);
  await until("each comes back alone", each("breaker.changed", { to: "closed" }));
  await sleep(Math.max(0, awayAt + 20_000 - Date.now()));
  const againAt = Date.now();
  await redis.start();
  // What Redis kept is that it is open: it is probed again, for all.
  await allHeard(workers, "ramp", againAt);
  await allHeard(workers, "closed", againAt, 4 * RAMP_STEP_MS + 10_000);
  for (const worker of workers) {
    expect(worker.isRunning).toBe(true);
    // Trouble is said once, and not with each command.
    expect(linesOf(worker, "gateway.troubled").length).toBeLessThan(200);
  }
  expect(load.refusedCount).toBeGreaterThan(0);
});

test("of all that was pushed nothing is lost", async () => {
  await load.stop();
  // The killed worker had some, and Redis handed some out that no worker heard of: their locks last 30 s.
  const locks = await client.keys("bull:mail:*:lock");
  if (locks.length > 0) await client.del(...locks);
  const missing = (): string[] => {
    const accepted = new Set(acceptedSubjects(primary, fallback));
    return load.subjects.filter((subject) => !accepted.has(subject));
  };
  await until("all are relayed", () => missing().length === 0, 45_000).catch(() => undefined);
  expect(missing()).toEqual([]);
  expect(load.subjects.length).toBeGreaterThan(1_000);
});
