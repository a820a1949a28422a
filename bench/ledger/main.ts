import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MailQueue } from "../../src/queue/mail-queue.ts";
import { closeRedis, connectRedis } from "../../src/redis/connection.ts";
import type { RedisClient } from "../../src/redis/connection.ts";
import { startEmbeddedStore } from "../../src/redis/embedded.ts";
import { percentile, table } from "../statistics.ts";
import { Child } from "../steady/child.ts";
import { pushAll } from "../steady/load.ts";
import { medianLedgerBytes, scriptCalls } from "./redis-figures.ts";
import type { RoundAnswer, RoundQuestion } from "./worker-process.ts";

/**
 * What the ledger costs: one worker, a relay and redis-server, each a process; rounds with the ledger and rounds with
 * one that writes nothing take turns. `--rounds N` of each kind, `--messages N` a round. Exit code 1 when a limit is missed.
 */
const MORE_TIME_PERCENT = 15;
const TRIPS_AN_ATTEMPT = 2;
const BYTES_A_MESSAGE = 1_536;
const SAMPLED_MESSAGES = 1_000;
/** Connections to the relay at once: the default of a provider of kind smtp. */
const CONNECTIONS = 10;

const rounds = Number(argument("--rounds") ?? 7);
const messages = Number(argument("--messages") ?? 2_000);

const rows: string[][] = [["what", "measured", "limit", ""]];

async function measure(queue: MailQueue, redis: RedisClient, worker: ChildProcess): Promise<void> {
  const run = async (ledger: RoundQuestion["ledger"]): Promise<RoundAnswer & { readonly calls: number }> => {
    await pushAll(queue, messages);
    const before = await scriptCalls(redis);
    worker.send({ ledger, count: messages } satisfies RoundQuestion);
    const answer = await answerOf(worker);
    return { ...answer, calls: (await scriptCalls(redis)) - before };
  };
  // Connections, compiled code and Redis's memory first.
  const { trips } = await run("counted");
  await run("none");
  const own: Awaited<ReturnType<typeof run>>[] = [];
  const bare: typeof own = [];
  for (let round = 0; round < rounds; round += 1) {
    const kinds = round % 2 === 0 ? (["redis", "none"] as const) : (["none", "redis"] as const);
    for (const kind of kinds) (kind === "redis" ? own : bare).push(await run(kind));
    const [ms, bareMs] = [own, bare].map((answers) => perMessage(answers.at(-1)?.elapsedMs ?? 0));
    process.stdout.write(`  round ${round + 1}: ${ms} ms a message, without ledger ${bareMs} ms\n`);
  }
  report(own, bare);
  const callsMore = (median(own, "calls") - median(bare, "calls")) / messages;
  note("round trips a message to the ledger, waited for or not", callsMore.toFixed(2));
  note("of these, to take it, once a round", (trips.takes / messages).toFixed(2));
  const waits = trips.waitedFor / trips.attempts;
  limited("waited for, an attempt", waits.toFixed(2), `${TRIPS_AN_ATTEMPT}`, waits <= TRIPS_AN_ATTEMPT);
  note("time waited for it, a message under full load", `${(trips.waitedMs / messages).toFixed(2)} ms`);
  const { bytes, count } = await medianLedgerBytes(redis, SAMPLED_MESSAGES);
  const what = `memory of a relayed message in Redis, median of ${count}`;
  limited(what, `${bytes} bytes`, `${BYTES_A_MESSAGE} bytes`, count === SAMPLED_MESSAGES && bytes <= BYTES_A_MESSAGE);
}

function report(own: readonly RoundAnswer[], bare: readonly RoundAnswer[]): void {
  for (const [field, name] of [
    ["elapsedMs", "time"],
    ["cpuMs", "CPU time of the worker"],
  ] as const) {
    const [withLedger, without] = [median(own, field), median(bare, field)];
    note(`${name} a message, median of ${rounds} rounds of ${messages}`, `${perMessage(withLedger)} ms`);
    note(`the same without ledger`, `${perMessage(without)} ms`);
    const morePercent = (withLedger / without - 1) * 100;
    const measured = `${morePercent.toFixed(1)} %`;
    if (field === "elapsedMs")
      limited("more time for the ledger", measured, `${MORE_TIME_PERCENT} %`, morePercent <= MORE_TIME_PERCENT);
    else note("more CPU time for the ledger", measured);
  }
}

function median<F extends string>(answers: readonly Readonly<Record<F, number>>[], field: F): number {
  const values = answers.map((answer) => answer[field]);
  return percentile(values, 50);
}

function perMessage(ms: number): string {
  return (ms / messages).toFixed(3);
}

function limited(what: string, measured: string, limit: string, met: boolean): void {
  rows.push([what, measured, limit, met ? "ok" : "MISSED"]);
  if (!met) process.exitCode = 1;
}

function note(what: string, measured: string): void {
  rows.push([what, measured, "", ""]);
}

async function answerOf(worker: ChildProcess): Promise<RoundAnswer> {
  const controller = new AbortController();
  const { signal } = controller;
  const ended = once(worker, "exit", { signal }).then(() => {
    throw new Error("the worker of the bench ended by itself");
  });
  const answered = once(worker, "message", { signal }).then(([message]) => message as RoundAnswer);
  try {
    return await Promise.race([answered, ended]);
  } finally {
    controller.abort();
    await Promise.allSettled([answered, ended]);
  }
}

function argument(name: string): string | null {
  const index = process.argv.indexOf(name);
  return index < 0 ? null : (process.argv[index + 1] ?? null);
}

const folder = await mkdtemp(join(tmpdir(), "mailover-bench-"));
const store = await startEmbeddedStore({
  dataDir: folder,
  log: (sentence) => process.stdout.write(`${sentence.split(";")[0] ?? ""}\n`),
});
const redis = connectRedis({ url: store.url }, { use: "blocking", connectionName: "bench", onError: () => undefined });
const queue = new MailQueue({ name: "mail", prefix: "bull" }, redis);
const relay = await Child.start("relay", {});
const provider = { kind: "smtp", host: "127.0.0.1", port: relay.ready["port"], tls: "none", priority: 10 };
const settings = { redis: { url: store.url }, providers: { relay: { ...provider, connections: CONNECTIONS } } };
const file = fileURLToPath(new URL("worker-process.js", import.meta.url));
const worker = fork(file, [JSON.stringify(settings)], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
const workerEnded = once(worker, "exit");
try {
  await measure(queue, redis, worker);
  process.stdout.write(`\n${table(rows)}\n`);
} finally {
  if (worker.connected) worker.disconnect();
  await workerEnded;
  await relay.stop();
  await queue.close();
  await closeRedis(redis);
  await store.stop();
  await rm(folder, { recursive: true, force: true });
}
