import { hostname } from "node:os";
import type { Closing } from "./assembly/closing.ts";
import { openControls } from "./assembly/controls.ts";
import { openGates } from "./assembly/gates.ts";
import { openMetrics } from "./assembly/metrics.ts";
import { reporter } from "./assembly/reports.ts";
import { openStore } from "./assembly/store.ts";
import { openWebhooks } from "./assembly/webhooks.ts";
import type { Config } from "./config/index.ts";
import type { ProviderDefinition } from "./core/index.ts";
import { work } from "./delivery/work.ts";
import { EventBus } from "./events/bus.ts";
import type { Gate } from "./gate/gate.ts";
import { openLedger } from "./operations/open-ledger.ts";
import { MailWorker } from "./queue/mail-worker.ts";
import { createKeyring, digestOf, removalOf, strip, unseal } from "./submission/index.ts";
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
  const closing: Closing = [];
  const events = new EventBus((error) => log.troubled("event listener", error));
  events.subscribe(log.event);
  const stop = async (): Promise<void> => {
    for (const close of closing.splice(0).toReversed()) await close();
    log.gatewayStopped();
  };
  try {
    const store = await openStore(config, log, closing);
    const name = `${hostname()}:${process.pid}`;
    const webhooks = await openWebhooks(config, { events, redis: store.blocking, name, log });
    closing.push(() => webhooks.stop());
    const common = { clock: Date.now, random: Math.random, emit: events.emit };
    const controls = await openControls({ config, store, name, log, ...common }, closing);
    const upstreams = await openGates({ config, definitions, store, name, log, common }, closing);
    const gates = upstreams.map(({ gate }) => gate);
    const metrics = await openMetrics(config, { events, gates }, closing);

    const keyring = createKeyring(config.encryption);
    const parts = {
      ...common,
      upstreams,
      routing: { rules: config.routes, pools: config.pools, overlay: controls.overlay },
      onShifted: controls.record,
      classes: config.classes,
      backoff: config.retry,
      attemptTimeoutMs: config.delivery.attemptTimeoutMs,
      queueName: config.queue.name,
      workerName: name,
      limits: config.message,
      keyring,
      sealAddresses: config.encryption.addresses,
      ledger: openLedger(
        store.commands,
        config.ledger.addresses === "hashed" ? (config.ledger.addressKey ?? null) : null,
      ),
      keepMs: config.ledger.keepMs,
      idempotencyMs: config.ledger.idempotencyMs,
      report: reporter(config, store.blocking, keyring),
      onError: (error: Error) => log.troubled("delivery", error),
    };
    const worker = new MailWorker(
      { ...config.queue, concurrency: config.delivery.concurrency },
      {
        connection: store.blocking,
        name,
        work: (job) => work(job, parts),
        strip: (data) => stripped(data, keyring),
        onError: (error) => log.troubled("queue", error),
      },
    );
    closing.push(() => worker.stop(config.delivery.shutdownMs * GRACE_SHARE));
    await worker.start();
    log.gatewayStarted({
      environment,
      providers: upstreams.map(({ name: each }) => each),
      queue: config.queue.name,
      ...(metrics === null ? {} : { metrics }),
    });
    return { events, gates, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What stays of a job whose message was relayed: enough to know it again. */
function stripped(data: object, keyring: Keyring): object {
  if (removalOf(data) !== null) return data;
  const opened = unseal(data, keyring);
  return strip(data, { digest: digestOf(opened.ok ? opened.data : data), removedAt: new Date() });
}
