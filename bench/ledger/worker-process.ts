import { gateSettings } from "../../src/assembly/gates.ts";
import { createProviders } from "../../src/assembly/providers.ts";
import { providerDefinitions } from "../../providers/index.ts";
import { checkConfig } from "../../src/config/index.ts";
import { BY_PRIORITY } from "../../src/delivery/order.ts";
import { work } from "../../src/delivery/work.ts";
import type { WorkParts } from "../../src/delivery/work.ts";
import { EventBus } from "../../src/events/bus.ts";
import { Gate } from "../../src/gate/gate.ts";
import { RedisLedger } from "../../src/ledger/redis-ledger.ts";
import { MailWorker } from "../../src/queue/mail-worker.ts";
import { closeRedis, connectRedis } from "../../src/redis/connection.ts";
import { createKeyring, digestOf, strip } from "../../src/submission/index.ts";
import { Log } from "../../src/telemetry/log.ts";
import { CountingLedger } from "./counting-ledger.ts";
import type { Trips } from "./counting-ledger.ts";
import { NoLedger } from "./no-ledger.ts";

export type RoundQuestion = { readonly ledger: "redis" | "none" | "counted"; readonly count: number };
export type RoundAnswer = {
  /** From the start of the worker to the end of its last message. */
  readonly elapsedMs: number;
  readonly cpuMs: number;
  readonly trips: Trips;
};

/** The worker as the gateway puts it together, log and all, whose ledger can be changed between rounds. */
const result = checkConfig(JSON.parse(process.argv[2] ?? "{}") as Record<string, unknown>, providerDefinitions);
if (!result.ok) throw new Error(JSON.stringify(result.findings));
const { config } = result;
const log = new Log(config.log);
const events = new EventBus((error) => log.troubled("event listener", error));
events.subscribe(log.event);
const onError = (error: Error): void => {
  throw error;
};
const connect = (use: "blocking" | "commands") =>
  connectRedis(
    { url: config.redis.url },
    { use, connectionName: "bench", onError: (text) => onError(new Error(text)) },
  );
const redis = connect("blocking");
const ledgerRedis = connect("commands");
const common = { clock: Date.now, random: Math.random, emit: events.emit };
const upstreams = createProviders(config, providerDefinitions, events.emit).map(({ provider, priority, weight }) => ({
  name: provider.name,
  priority,
  weight,
  gate: new Gate(provider, gateSettings(config), common),
}));
const workerName = `bench-host:${process.pid}`;
const parts: Omit<WorkParts, "ledger"> = {
  ...common,
  upstreams,
  routing: BY_PRIORITY,
  onShifted: () => undefined,
  classes: config.classes,
  backoff: config.retry,
  attemptTimeoutMs: config.delivery.attemptTimeoutMs,
  queueName: config.queue.name,
  workerName,
  limits: config.message,
  keyring: createKeyring({}),
  sealAddresses: false,
  keepMs: config.ledger.keepMs,
  idempotencyMs: config.ledger.idempotencyMs,
  report: null,
  onError,
};
const redisLedger = new RedisLedger(ledgerRedis, Date.now);

async function round({ ledger: kind, count }: RoundQuestion): Promise<RoundAnswer> {
  const counting = new CountingLedger(redisLedger);
  const ledger = { redis: redisLedger, none: new NoLedger(), counted: counting }[kind];
  let endedCount = 0;
  let allEnded = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    allEnded = resolve;
  });
  const worker = new MailWorker(
    { ...config.queue, concurrency: config.delivery.concurrency },
    {
      connection: redis,
      name: workerName,
      work: async (job) => {
        const verdict = await work(job, { ...parts, ledger });
        if (verdict.kind !== "completed") throw new Error(`a message of the bench was not relayed: ${verdict.kind}`);
        endedCount += 1;
        if (endedCount === count) allEnded();
        return verdict;
      },
      strip: (data) => strip(data, { digest: digestOf(data), removedAt: new Date() }),
      onError,
    },
  );
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await worker.start();
  await ended;
  await worker.stop(10_000);
  const elapsedMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { elapsedMs, cpuMs: (user + system) / 1_000, trips: counting.trips };
}

process.on("message", (question: RoundQuestion) => void round(question).then((answer) => process.send?.(answer)));
process.once("disconnect", () => {
  const closing = upstreams.map(async ({ gate }) => {
    gate.close();
    await gate.provider.close();
  });
  void Promise.all([...closing, closeRedis(ledgerRedis), closeRedis(redis)]).then(() => process.exit(0));
});
