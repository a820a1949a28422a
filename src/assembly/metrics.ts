import type { Config } from "../config/index.ts";
import type { EventBus } from "../events/bus.ts";
import type { Gate } from "../gate/gate.ts";
import { serveMetrics } from "../telemetry/metrics-server.ts";
import { Metrics } from "../telemetry/metrics.ts";
import type { Closing } from "./closing.ts";

/** Counts what happens, and serves it where a port is set. Returns the page's address, or null. */
export async function openMetrics(
  { metrics: { port, host } }: Config,
  { events, gates }: { readonly events: EventBus; readonly gates: readonly Gate[] },
  closing: Closing,
): Promise<string | null> {
  if (port === null) return null;
  const metrics = new Metrics(() =>
    gates.map(({ provider, percent, breakerState, isPaused }) => ({
      name: provider.name,
      percent,
      breaker: breakerState,
      isPaused,
    })),
  );
  events.subscribe(metrics.event);
  const server = await serveMetrics(metrics, { host, port });
  closing.push(() => server.close());
  return server.url;
}
