import type { Config } from "../config/index.ts";
import { readFleetView } from "../operations/fleet-view.ts";
import type { FleetView } from "../operations/fleet-view.ts";
import { formatProviders } from "../operations/format-providers.ts";
import type { ProvidersReport } from "../operations/format-providers.ts";
import { overviewOf } from "../operations/provider-overview.ts";
import type { ProviderOverview } from "../operations/provider-overview.ts";
import { reportJson } from "../operations/report-json.ts";
import { standingChanges } from "../operations/run-time-changes.ts";
import { closeRedis } from "../redis/connection.ts";
import type { RedisClient } from "../redis/connection.ts";
import { redactAddresses } from "../telemetry/redact-addresses.ts";
import { loadOrExit } from "./settings.ts";
import { connectStore } from "./store.ts";

/** `mailover providers`: how each provider stands, and what to type where it does not stand well. */
export async function showProviders({ json = false }: { readonly json?: boolean }): Promise<void> {
  const { config } = loadOrExit();
  await withStore(config, async (redis) => {
    const report = await providersReport(config, redis);
    process.stdout.write(`${json ? reportJson(report) : formatProviders(report)}\n`);
  });
}

/** How the providers of a configuration stand, by what Redis holds. */
export async function providersReport(config: Config, redis: RedisClient): Promise<ProvidersReport> {
  const view = await viewOf(config, redis);
  const { now, workers } = view;
  return { now, providers: overviewsOf(config, view), workers, changes: standingChanges(view) };
}

export function viewOf(config: Config, redis: RedisClient): Promise<FleetView> {
  return readFleetView(redis, { providers: namedProviders(config), pools: config.pools });
}

export function overviewsOf(config: Config, view: FleetView): ProviderOverview[] {
  const { rampPercents: percents, rampStepMs: stepMs } = config.breaker;
  return overviewOf(namedProviders(config), view, { ramp: { percents, stepMs }, show: showOf(config) });
}

/** What may be shown of a text that a provider wrote: what the log shows. */
export function showOf({ log }: Config): (text: string) => string {
  return log.addresses ? (text) => text : redactAddresses;
}

/** Connects to the Redis of a configuration, and closes the connection behind what is done with it. */
export async function withStore(config: Config, act: (redis: RedisClient) => Promise<void>): Promise<void> {
  const redis = await connectStore(config, "mailover-providers", "commands");
  try {
    await act(redis);
  } finally {
    await closeRedis(redis);
  }
}

function namedProviders(config: Config) {
  return Object.entries(config.providers).map(([name, settings]) => ({ name, ...settings }));
}
