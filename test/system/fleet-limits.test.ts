import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Control } from "../../src/control/control.ts";
import { startLab, startRelay } from "../../src/lab/index.ts";
import type { Lab, RelayServer } from "../../src/lab/index.ts";
import { MailQueue } from "../../src/queue/mail-queue.ts";
import { closeRedis, connectRedis } from "../../src/redis/connection.ts";
import type { RedisClient } from "../../src/redis/connection.ts";
import { mail, microsoft365Settings, relaySettings, until } from "../scenario/gateway.ts";
import { CountingCable } from "./fleet/counting-cable.ts";
import { SteadyLoad, acceptedBetween, acceptedSubjects, toleranceOf } from "./fleet/steady-load.ts";
import { firstSince, linesOf } from "./fleet/worker-log.ts";
import type { Logged } from "./fleet/worker-log.ts";
import { Installation } from "./installation.ts";
import type { Program } from "./installation.ts";
import { RedisServer } from "./redis.ts";

/**
 * What three gateways may send together, and how operators steer them while they do. Ten times the limit of two mailboxes is
 * offered all the while; the test that judges it comes last.
 */
const PER_MINUTE = 120;
const OFFERED_MS = 70_000;
const OFFERED_PER_SECOND = 17;
const POOL = ["pool1", "pool2", "pool3"];
const POOL_PER_MINUTE = 30;
/** Twice what three mailboxes of 30 a minute carry. */
const POOL_PER_SECOND = 3;
const OPS_PER_SECOND = 40;
const BACKLOG_COUNT = 2_000;
const MINUTE_MS = 60_000;
const AUTHOR = { by: "ann@desk", reason: "a test" };

let redis: RedisServer;
let cable: CountingCable;
let client: RedisClient;
let queue: MailQueue;
let lab: Lab;
let one: RelayServer;
let two: RelayServer;
let installation: Installation;
let workers: Program[];
let control: Control;

beforeAll(async () => {
  redis = await RedisServer.start();
  cable = await CountingCable.lay(Number(new URL(redis.url).port));
  client = connectRedis({ url: redis.url }, { use: "commands", connectionName: "test", onError: () => undefined });
  queue = new MailQueue({ name: "mail", prefix: "bull" }, client);
  const sendAs = Object.fromEntries(POOL.map((name) => [`${name}@contoso.com`, ["pool@contoso.com"]]));
  lab = await startLab({ exchange: { messagesPerMinute: PER_MINUTE, overRate: "432", sendAs } });
  one = await startRelay({ name: "one" });
  two = await startRelay({ name: "two" });
  const providers = {
    spill: mailboxSettings("spill", PER_MINUTE),
    wait: mailboxSettings("wait", PER_MINUTE),
    backlog: mailboxSettings("backlog", 30),
    pool: poolSettings(POOL, POOL_PER_MINUTE),
    overflow: relaySettings(lab.relay),
    one: relaySettings(one),
    two: relaySettings(two),
  };
  const use = {
    spill: ["spill", "overflow"],
    wait: ["wait"],
    backlog: ["backlog"],
    pool: ["pool"],
    ops: ["one", "two"],
  };
  installation = await Installation.create({
    redis: { url: cable.url },
    delivery: { concurrency: 10 },
    providers,
    routes: Object.entries(use).map(([tenant, names]) => ({ when: { tenant }, use: names })),
  });
  workers = await Promise.all([1, 2, 3].map(() => installation.start()));
  control = new Control({ redis: client, providers: Object.keys(providers), pools: {}, suggest: () => null });
});

afterAll(async () => {
  await installation.close();
  await queue.close();
  await closeRedis(client);
  await cable.close();
  await redis.close();
  await Promise.all([lab.close(), one.close(), two.close()]);
});

function mailboxSettings(name: string, perMinute: number): object {
  return microsoft365Settings(lab, { mailbox: `${name}@contoso.com`, limits: limitsOf(perMinute) });
}

function poolSettings(names: readonly string[], perMinute: number): object {
  const mailboxes = names.map((name) => `${name}@contoso.com`);
  const settings = { mailbox: undefined, mailboxes, sendAs: ["pool@contoso.com"], limits: limitsOf(perMinute) };
  return microsoft365Settings(lab, settings);
}

function limitsOf(perMinute: number): object {
  return { perMinute, keepPercent: { otp: 0, transactional: 0 } };
}

const loads: Record<string, SteadyLoad> = {};
let offeredSince = 0;

const offer = (tenant: string, ratePerSecond: number, more: object = {}): SteadyLoad => {
  const load = new SteadyLoad(installation.client(redis.url), {
    name: tenant,
    ratePerSecond,
    more: { tenant, from: `${tenant}@contoso.com`, ...more },
  });
  loads[tenant] = load;
  return load;
};

/** When the workers heard of a change, the last of them. */
const heardByAll = async (version: number): Promise<number> => {
  const heard = (): (Logged | undefined)[] =>
    workers.map((worker) => linesOf(worker, "control.changed", { version })[0]);
  await until("all workers heard of it", () => heard().every((line) => line !== undefined));
  return Math.max(...heard().map((line) => line?.at ?? 0));
};

test("2,000 messages wait for a mailbox of 30 a minute: they hold no worker, and cost few commands", async () => {
  const app = installation.client(redis.url);
  const backlog = { tenant: "backlog", from: "backlog@contoso.com", whenThrottled: "wait" as const };
  const push = async (count: number): Promise<void> => {
    for (let pushed = 0; pushed < count; pushed += 100) {
      const messages = Array.from({ length: 100 }, () => ({ ...backlog, to: "ann@example.org", text: "Hello" }));
      await Promise.all(messages.map((message) => app.send(message)));
    }
  };
  const waiting = (count: number) => async (): Promise<boolean> => ((await queue.counts())["delayed"] ?? 0) >= count;
  // The first thirty go at once, and all that comes after them waits.
  await push(100);
  await until("the thirty are sent", () => lab.exchange.accepted.length === 30);
  await until("the others wait", waiting(70));
  const before = cable.commandCount;
  await push(BACKLOG_COUNT - 100);
  await until("all wait", waiting(BACKLOG_COUNT - 30), 60_000);
  // The message is taken from the ledger, a slot is booked, the ledger learns that it waits; the job is moved, and the next
  // one fetched with it. All that the workers say to one another meanwhile comes on top.
  expect((cable.commandCount - before) / (BACKLOG_COUNT - 100)).toBeLessThan(5);

  expect(await queue.counts()).toMatchObject({ active: 0, waiting: 0, prioritized: 0 });
  const pushedAt = Date.now();
  const acceptedCount = one.accepted.length;
  for (let count = 0; count < 100; count += 1) await app.send(mail({ tenant: "ops", subject: `passes ${count}` }));
  await until("a hundred others pass", () => one.accepted.length >= acceptedCount + 100);
  expect(Date.now() - pushedAt).toBeLessThan(10_000);
});

test("a drain reaches all workers within a second, and so does its end", async () => {
  offeredSince = Date.now();
  offer("spill", OFFERED_PER_SECOND, { whenThrottled: "spill" });
  offer("wait", OFFERED_PER_SECOND, { whenThrottled: "wait" });
  offer("pool", POOL_PER_SECOND, { whenThrottled: "wait" });
  offer("ops", OPS_PER_SECOND);
  await sleep(2_000);

  const drainedAt = Date.now();
  const drained = await control.drain("one", AUTHOR);
  if (drained.kind !== "done") throw new Error("it was not drained");
  const heardAt = await heardByAll(drained.change.version);
  expect(heardAt - drainedAt).toBeLessThan(1_000);
  await sleep(2_000);
  // What was under way there may end there.
  expect(acceptedBetween(one, heardAt + 500, Date.now())).toBe(0);
  expect(acceptedBetween(two, heardAt + 500, Date.now())).toBeGreaterThan(20);

  const resumedAt = Date.now();
  const resumed = await control.resume("one", AUTHOR);
  if (resumed.kind !== "done") throw new Error("it was not resumed");
  const heardAgainAt = await heardByAll(resumed.change.version);
  expect(heardAgainAt - resumedAt).toBeLessThan(1_000);
  await sleep(2_000);
  expect(acceptedBetween(two, heardAgainAt + 500, Date.now())).toBe(0);
  expect(acceptedBetween(one, heardAgainAt + 500, Date.now())).toBeGreaterThan(20);
});

test("a cutover moves the mail by its steps, over all workers", async () => {
  const steps = [25, 50, 100];
  const plan = {
    to: "two",
    when: { tenant: "ops" },
    steps,
    everyMs: 4_000,
    guardErrorsPercent: 5,
    guardDelayMs: 30_000,
    leastCount: 10,
  };
  const started = await control.cutover(plan, AUTHOR);
  if (started.kind !== "done") throw new Error("it did not start");
  const since = await heardByAll(started.change.version);
  const moves = (): Logged[] =>
    workers
      .flatMap((worker) => linesOf(worker, "cutover.stepped", { to: "two" }))
      .toSorted((first, next) => first.at - next.at);
  await until("it is done", () => moves().some(({ state }) => state === "done"), 45_000);
  expect(moves().map(({ percent, state }) => `${String(percent)} % ${String(state)}`)).toEqual([
    "50 % running",
    "100 % running",
    "100 % done",
  ]);
  const beginnings = [since, ...moves().map(({ at }) => at)];
  for (const [index, percent] of steps.entries()) {
    // All know of a step within a second.
    const from = (beginnings[index] ?? 0) + 1_000;
    const end = beginnings[index + 1] ?? 0;
    const moved = acceptedBetween(two, from, end);
    const all = moved + acceptedBetween(one, from, end);
    expect(all).toBeGreaterThan(40);
    expect(Math.abs(moved - (all * percent) / 100)).toBeLessThanOrEqual(toleranceOf(percent, all));
  }
  const stopped = await control.stopCutover("two", AUTHOR);
  if (stopped.kind !== "done") throw new Error("it was not taken back");
  const backAt = await heardByAll(stopped.change.version);
  await sleep(1_500);
  expect(acceptedBetween(two, backAt + 500, Date.now())).toBe(0);
});

test("ten times the limits are offered: they hold to the message, and no server has to say so", async () => {
  await sleep(Math.max(0, offeredSince + OFFERED_MS - Date.now()));
  await Promise.all(Object.values(loads).map((load) => load.stop()));
  const { spill, wait } = loads;
  if (spill === undefined || wait === undefined) throw new Error("nothing was offered");
  expect(spill.subjects.length).toBeGreaterThan(1_000);
  expect(wait.subjects.length).toBeGreaterThan(1_000);

  // What spills is relayed, somewhere, at once.
  const missing = (): number => {
    const accepted = new Set([...acceptedSubjects(lab.exchange), ...acceptedSubjects(lab.relay)]);
    return spill.subjects.filter((subject) => !accepted.has(subject)).length;
  };
  await until("what spills is relayed", () => missing() === 0);

  for (const name of ["spill", "wait"]) {
    const times = acceptedAtBy(`${name}@contoso.com`);
    expect(mostInAMinute(times)).toBeLessThanOrEqual(PER_MINUTE);
    // What is allowed is used: a minute full, and another one begun.
    expect(times.length).toBeGreaterThan(PER_MINUTE * 1.25);
  }
  // Three mailboxes carry three times thirty a minute, each no more than its own.
  const byMailbox = POOL.map((name) => acceptedAtBy(`${name}@contoso.com`));
  for (const times of byMailbox) expect(mostInAMinute(times)).toBe(POOL_PER_MINUTE);
  expect(mostInAMinute(byMailbox.flat())).toBe(3 * POOL_PER_MINUTE);
  const elsewhere = acceptedSubjects(lab.relay, one, two).filter((subject) => subject.startsWith("wait "));
  expect(elsewhere).toEqual([]);
  for (const worker of workers) {
    expect(worker.isRunning).toBe(true);
    expect(linesOf(worker, "attempt.ended").filter(({ outcome }) => outcome !== "relayed")).toEqual([]);
    for (const event of ["gate.paused", "limit.changed"]) expect(firstSince(worker, 0, event)).toBeUndefined();
  }
  // Ten times the limit wait, and nobody with them.
  expect((await queue.counts())["delayed"]).toBeGreaterThan(BACKLOG_COUNT / 2);
  // But for those whose slot has just come: four of them a second.
  await until("nobody is held", async () => (await queue.counts())["active"] === 0, 5_000);
});

/** When the messages that went by a mailbox were accepted. */
function acceptedAtBy(user: string): number[] {
  return lab.exchange.accepted.filter((accepted) => accepted.user === user).map(({ acceptedAt }) => acceptedAt);
}

/** The most of these instants, epoch milliseconds, that lie in any 60 seconds. */
function mostInAMinute(times: readonly number[]): number {
  const sorted = times.toSorted((first, next) => first - next);
  return Math.max(
    0,
    ...sorted.map((from, index) => sorted.filter((at, other) => other >= index && at < from + MINUTE_MS).length),
  );
}
