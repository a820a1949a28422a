import type { Config } from "../config/index.ts";
import type { Clock, Emit, LimitSettings, Provider, ProviderDefinition, Random } from "../core/index.ts";
import type { Upstream } from "../delivery/order.ts";
import { RedisFleet } from "../gate/fleet/redis-fleet.ts";
import { RedisRefusals } from "../gate/fleet/redis-refusals.ts";
import { Gate } from "../gate/gate.ts";
import type { GateParts as GateWiring, GateSettings } from "../gate/gate.ts";
import { dayAt } from "../gate/limits/provider-day.ts";
import { createLimiter } from "../gate/limits/create-limiter.ts";
import type { OpenLimiter } from "../gate/limits/create-limiter.ts";
import { workerStatus } from "../operations/worker-status.ts";
import { RedisSharedCache } from "../redis/shared-cache.ts";
import type { Log } from "../telemetry/log.ts";
import { closeWithin } from "./closing.ts";
import type { Closing } from "./closing.ts";
import { createProviders } from "./providers.ts";
import type { Store } from "./store.ts";

export type GateParts = {
  readonly config: Config;
  readonly definitions: readonly ProviderDefinition[];
  readonly store: Store;
  /** This worker. */
  readonly name: string;
  readonly log: Log;
  readonly common: { readonly clock: Clock; readonly random: Random; readonly emit: Emit };
};

/** An attempt that has to be stopped may take a little longer. */
export const ATTEMPT_MARGIN_MS = 15_000;
/** After its time an idle connection is still to be closed. */
const CONNECTION_MARGIN_MS = 1_000;
/** What a gateway tells its fleet when it goes must not hold it up. */
const LEAVING_MS = 500;

/** The providers behind their gates, which have joined the fleet and know what it holds. */
export async function openGates(parts: GateParts, closing: Closing): Promise<Upstream[]> {
  const { config, definitions, store, common } = parts;
  const gates: Gate[] = [];
  const limiters: OpenLimiter[] = [];
  const fleet = openFleet(parts, gates);
  const refusals = new RedisRefusals({ redis: store.commands, subscriber: store.subscriber, clock: common.clock });
  const cache = new RedisSharedCache(store.commands);
  const upstreams = createProviders(config, definitions, common.emit, cache).map(
    ({ provider, priority, weight, limits }): Upstream => {
      const limiter = limits === undefined ? undefined : openLimiter(parts, provider, limits);
      if (limiter !== undefined) limiters.push(limiter);
      const gate = new Gate(provider, gateSettings(config), {
        ...common,
        fleet,
        refusals,
        ...(limiter === undefined ? {} : { limiter }),
        ...quotaRenewal(limits),
      });
      gates.push(gate);
      closing.push(() => provider.close());
      closing.push(() => gate.close());
      return { name: provider.name, priority, weight, gate };
    },
  );
  closing.push(() => closeWithin(LEAVING_MS, [() => fleet.stop(), ...limiters.map((each) => () => each.close())]));
  closing.push(async () => refusals.stop());
  await Promise.all([fleet.start(), refusals.start()]);
  return upstreams;
}

/** The workers that share this Redis. It begins to act when it is started. */
function openFleet({ config, store, name, log, common }: GateParts, gates: readonly Gate[]): RedisFleet {
  const { breaker } = config;
  const startedAt = new Date();
  return new RedisFleet({
    ...common,
    redis: store.commands,
    subscriber: store.subscriber,
    name,
    settings: {
      quorum: config.fleet.quorum,
      breaker,
      ramp: { percents: breaker.rampPercents, stepMs: breaker.rampStepMs },
    },
    status: () => JSON.stringify(workerStatus(gates, startedAt)),
    onError: (error) => log.troubled("fleet", error),
  });
}

function quotaRenewal(limits: LimitSettings | undefined): Pick<GateWiring, "quotaRenewedAt"> {
  const reset = limits?.dayResetsAt ?? null;
  return reset === null ? {} : { quotaRenewedAt: (now) => dayAt(now, reset).endAt };
}

function openLimiter(
  { config, store, name, common }: GateParts,
  provider: Provider,
  settings: LimitSettings,
): OpenLimiter {
  const { idleConnectionMs = 0 } = provider.capabilities;
  return createLimiter({
    ...common,
    redis: store.commands,
    provider: provider.name,
    worker: name,
    settings,
    attemptTimeoutMs: config.delivery.attemptTimeoutMs + ATTEMPT_MARGIN_MS,
    idleMs: idleConnectionMs === 0 ? 0 : idleConnectionMs + CONNECTION_MARGIN_MS,
  });
}

export function gateSettings(config: Config): GateSettings {
  return {
    breaker: config.breaker,
    throttle: config.throttle,
    senderRememberMs: config.sender.rememberMs,
    slowAfterMs: config.delivery.slowAfterMs,
    brownout: config.brownout,
  };
}
