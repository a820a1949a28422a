import { hostname } from "node:os";
import type { Config } from "./config/index.ts";
import type {
  Clock,
  Emit,
  LimitSettings,
  Provider,
  ProviderDefinition,
  Random,
  RoutingSettings,
  SharedCache,
} from "./core/index.ts";
import { work } from "./delivery/work.ts";
import type { WorkParts } from "./delivery/work.ts";
import { NOTHING_CHANGED } from "./control/overlay.ts";
import type { Upstream } from "./delivery/order.ts";
import { EventBus } from "./events/bus.ts";
import { startWebhooks } from "./events/webhooks/start.ts";
import type { Webhooks } from "./events/webhooks/start.ts";
import { RedisFleet } from "./gate/fleet/redis-fleet.ts";
import { Gate } from "./gate/gate.ts";
import type { GateSettings } from "./gate/gate.ts";
import { createLimiter } from "./gate/limits/create-limiter.ts";
import { unlimited } from "./gate/limits/limiter.ts";
import type { Limiter } from "./gate/limits/limiter.ts";
import { composeReport } from "./message/index.ts";
import { openLedger } from "./operations/open-ledger.ts";
import { workerStatus } from "./operations/worker-status.ts";
import { MailQueue } from "./queue/mail-queue.ts";
import { MailWorker } from "./queue/mail-worker.ts";
import { WebhookOutbox } from "./queue/webhook-outbox.ts";
import { closeRedis, connectRedis } from "./redis/connection.ts";
import type { RedisClient } from "./redis/connection.ts";
import { startEmbeddedStore } from "./redis/embedded.ts";
import { checkServer } from "./redis/server-check.ts";
import { RedisSharedCache } from "./redis/shared-cache.ts";
import { createKeyring, digestOf, removalOf, seal, strip, unseal } from "./submission/index.ts";
import type { Keyring } from "./submission/index.ts";
import type { Log } from "./telemetry/log.ts";

export type GatewayOptions = {
  readonly config: Config;
  readonly definitions: readonly ProviderDefinition[];
  readonly log: Log;
  /** The name of the environment, for the log. */
  readonly environment: string;
};

/** A gateway that runs: it takes jobs until it is stopped. */
export type Gateway = {
  readonly events: EventBus;
  readonly gates: readonly Gate[];
  /** Takes no more jobs, lets attempts under way end or hands them back, and closes everything in reverse order. */
  stop(): Promise<void>;
};

/** Part of `shutdownMs` that attempts under way get to end by themselves; the rest is for handing them back. */
const GRACE_SHARE = 0.8;

/** Builds the parts from a configuration and starts them. Throws a sentence for the operator when Redis is no use. */
export async function startGateway({ config, definitions, log, environment }: GatewayOptions): Promise<Gateway> {
  const closing: (() => Promise<void> | void)[] = [];
  const events = new EventBus((error) => log.troubled("event listener", error));
  events.subscribe(log.event);
  const stop = async (): Promise<void> => {
    for (const close of closing.splice(0).toReversed()) await close();
    log.gatewayStopped();
  };
  try {
    const redisUrl = await openStore(config, log, closing);
    const redis = await openRedis(config, redisUrl, log, closing);
    const name = `${hostname()}:${process.pid}`;
    const webhooks = await openWebhooks(config, { events, redis, name, log });
    closing.push(() => webhooks.stop());

    const commands = connectCommands(config, redisUrl, log, closing);
    const keyring = createKeyring(config.encryption);
    const gates: Gate[] = [];
    const fleet = openFleet(config, { name, commands, redisUrl, log, gates }, closing);
    const upstreams = createProviders(config, definitions, events.emit, new RedisSharedCache(commands)).map(
      ({ provider, priority, weight, limits }): Upstream => {
        const common = { clock: Date.now, random: Math.random, emit: events.emit };
        const limiter =
          limits === undefined ? unlimited : openLimiter(config, { provider, limits, commands, name, common }, closing);
        const parts = { ...common, fleet, limiter };
        const gate = new Gate(provider, gateSettings(config), parts);
        gates.push(gate);
        closing.push(() => provider.close());
        closing.push(() => gate.close());
        return { name: provider.name, priority, weight, gate };
      },
    );
    closing.push(() => fleet.stop());
    await fleet.start();

    const parts = {
      upstreams,
      routing: { rules: config.routes, pools: config.pools, overlay: () => NOTHING_CHANGED },
      classes: config.classes,
      backoff: config.retry,
      attemptTimeoutMs: config.delivery.attemptTimeoutMs,
      clock: Date.now,
      random: Math.random,
      emit: events.emit,
      queueName: config.queue.name,
      workerName: name,
      limits: config.message,
      keyring,
      sealAddresses: config.encryption.addresses,
      ledger: openLedger(commands, config.ledger.addresses === "hashed" ? (config.ledger.addressKey ?? null) : null),
      keepMs: config.ledger.keepMs,
      idempotencyMs: config.ledger.idempotencyMs,
      report: reporter(config, redis, keyring),
      onError: (error: Error) => log.troubled("delivery", error),
    };
    const worker = new MailWorker(
      { ...config.queue, concurrency: config.delivery.concurrency },
      {
        connection: redis,
        name,
        work: (job) => work(job, parts),
        strip: (data) => stripped(data, keyring),
        onError: (error) => log.troubled("queue", error),
      },
    );
    closing.push(() => worker.stop(config.delivery.shutdownMs * GRACE_SHARE));
    await worker.start();
    log.gatewayStarted({ environment, providers: upstreams.map(({ name }) => name), queue: config.queue.name });
    return { events, gates: upstreams.map(({ gate }) => gate), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * A connection whose commands fail while Redis is away: an attempt that cannot be written down must end within seconds, and
 * not hang on to its provider; and a worker must know soon that it is alone.
 */
function connectCommands(config: Config, url: string, log: Log, closing: (() => Promise<void> | void)[]): RedisClient {
  const onError = (sentence: string): void => log.troubled("redis", sentence);
  const options = { use: "commands", connectionName: "mailover-commands", onError } as const;
  const redis = connectRedis({ ...config.redis, url }, options);
  closing.push(() => closeRedis(redis));
  return redis;
}

type FleetParts = {
  readonly name: string;
  readonly commands: RedisClient;
  readonly redisUrl: string;
  readonly log: Log;
  /** The gates that it tells of; they join it later. */
  readonly gates: readonly Gate[];
};

type LimiterParts = Pick<FleetParts, "name" | "commands"> & {
  readonly provider: Provider;
  readonly limits: LimitSettings;
  readonly common: { readonly clock: Clock; readonly random: Random; readonly emit: Emit };
};

/** An attempt that has to be stopped may take a little longer. */
const ATTEMPT_MARGIN_MS = 15_000;
/** After its time an idle connection is still to be closed. */
const CLOSING_MARGIN_MS = 1_000;

function openLimiter(
  config: Config,
  { provider, limits, commands, name, common }: LimiterParts,
  closing: (() => Promise<void> | void)[],
): Limiter {
  const { idleConnectionMs = 0 } = provider.capabilities;
  const limiter = createLimiter({
    ...common,
    redis: commands,
    provider: provider.name,
    worker: name,
    settings: limits,
    attemptTimeoutMs: config.delivery.attemptTimeoutMs + ATTEMPT_MARGIN_MS,
    idleMs: idleConnectionMs === 0 ? 0 : idleConnectionMs + CLOSING_MARGIN_MS,
  });
  closing.push(() => limiter.close());
  return limiter;
}

/** The workers that share this Redis. It begins to act when it is started. */
function openFleet(
  config: Config,
  { name, commands, redisUrl, log, gates }: FleetParts,
  closing: (() => Promise<void> | void)[],
): RedisFleet {
  const onError = (error: Error | string): void => log.troubled("fleet", error);
  const subscriber = connectRedis(
    { ...config.redis, url: redisUrl },
    { use: "blocking", connectionName: "mailover-subscriber", onError },
  );
  closing.push(() => closeRedis(subscriber));
  const { breaker } = config;
  const startedAt = new Date();
  return new RedisFleet({
    redis: commands,
    subscriber,
    name,
    settings: {
      quorum: config.fleet.quorum,
      breaker,
      ramp: { percents: breaker.rampPercents, stepMs: breaker.rampStepMs },
    },
    status: () => JSON.stringify(workerStatus(gates, startedAt)),
    clock: Date.now,
    random: Math.random,
    onError,
  });
}

/** Pushes delivery reports into the queue, as messages of their own; null where the configuration names no sender. */
function reporter(config: Config, redis: RedisClient, keyring: Keyring): WorkParts["report"] {
  const { from, host } = config.reports;
  if (from === null) return null;
  const queue = new MailQueue(config.queue, redis);
  return async (original, record) => {
    const report = composeReport({
      original,
      record,
      reportingMta: host ?? hostname(),
      from: { name: "Mail delivery", address: from },
      now: new Date(),
    });
    if (report === null) return;
    const data = seal(report, keyring, { addresses: config.encryption.addresses });
    // The same id for the same end: where a worker died after this, the next one makes no second report.
    await queue.push(data, { jobId: `report-${record.id}-${record.attemptCount}` });
  };
}

/** What stays of a job whose message was relayed: enough to know it again. */
function stripped(data: object, keyring: Keyring): object {
  if (removalOf(data) !== null) return data;
  const opened = unseal(data, keyring);
  return strip(data, { digest: digestOf(opened.ok ? opened.data : data), removedAt: new Date() });
}

/** The url of Redis; an embedded store is started first. */
async function openStore(config: Config, log: Log, closing: (() => Promise<void> | void)[]): Promise<string> {
  if (config.redis.url !== "embedded") return config.redis.url;
  const store = await startEmbeddedStore({
    dataDir: config.redis.dataDir,
    log: (sentence) => log.storeNoted(sentence),
  });
  closing.push(() => store.stop());
  return store.url;
}

async function openRedis(
  config: Config,
  url: string,
  log: Log,
  closing: (() => Promise<void> | void)[],
): Promise<RedisClient> {
  const redis = connectRedis(
    { ...config.redis, url },
    { use: "blocking", connectionName: "mailover", onError: (sentence) => log.troubled("redis", sentence) },
  );
  closing.push(() => closeRedis(redis));
  const check = await checkServer(redis);
  if (!check.ok) throw new Error(check.problem);
  // What an embedded store keeps has been said by itself.
  if (config.redis.url !== "embedded") for (const warning of check.warnings) log.storeWarned(warning);
  return redis;
}

async function openWebhooks(
  config: Config,
  { events, redis, name, log }: { events: EventBus; redis: RedisClient; name: string; log: Log },
): Promise<Webhooks> {
  const onError = (error: Error): void => log.troubled("webhooks", error);
  const parts = { connection: redis, name, onFailed: log.webhookFailed, onError };
  return startWebhooks({
    endpoints: config.webhooks,
    events,
    open: (endpoint, deliver) => new WebhookOutbox(config.queue, endpoint, { ...parts, deliver }),
    onLost: log.webhooksLost,
    clock: Date.now,
  });
}

function gateSettings(config: Config): GateSettings {
  return {
    breaker: config.breaker,
    throttle: config.throttle,
    senderRememberMs: config.sender.rememberMs,
    slowAfterMs: config.delivery.slowAfterMs,
    brownout: config.brownout,
  };
}

/** Makes the providers that a configuration names; without a cache they share nothing. Nothing is connected yet. */
export function createProviders(
  config: Config,
  definitions: readonly ProviderDefinition[],
  emit: Emit,
  cache?: SharedCache,
): ({ readonly provider: Provider } & RoutingSettings)[] {
  return Object.entries(config.providers).map(([name, settings]) => {
    const definition = definitions.find(({ kind }) => kind === settings.kind);
    if (definition === undefined) throw new Error(`providers.${name}.kind: "${settings.kind}" is no kind of provider`);
    const provider = definition.create(name, settings, {
      clock: Date.now,
      notice: (notice, fields) => emit({ type: "provider.noticed", provider: name, notice, fields }),
      ...(cache === undefined ? {} : { cache }),
    });
    return { provider, priority: settings.priority, weight: settings.weight, limits: settings.limits };
  });
}
