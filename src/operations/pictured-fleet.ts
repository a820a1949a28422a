import type { Fleet, FleetSeat } from "../gate/fleet/fleet.ts";
import type { ProviderReport } from "../gate/fleet/read-fleet.ts";

/**
 * A fleet as it was when it was read: a gate that joins it decides as those of the workers do then, and tells nobody
 * anything. What a worker knows alone it does not know: its own breaker, slowness, and the senders that were refused.
 */
export function picturedFleet(reports: ReadonlyMap<string, ProviderReport>): Fleet {
  return {
    join: (provider) => seatOf(reports.get(provider)),
    start: async () => undefined,
    stop: async () => undefined,
  };
}

function seatOf(report: ProviderReport | undefined): FleetSeat {
  return {
    state: report?.state ?? { kind: "closed" },
    pause: report?.pause ?? null,
    connected: true,
    vote: () => undefined,
    share: () => undefined,
  };
}
