import { NO_CHANGES, foldChanges, overlayAt } from "../../../src/control/state.ts";
import type { Change } from "../../../src/control/change.ts";
import type { ProviderReport } from "../../../src/gate/fleet/read-fleet.ts";
import type { Usage } from "../../../src/gate/limits/read-usage.ts";
import type { FleetView, SeenWorker } from "../../../src/operations/fleet-view.ts";
import type { ProviderStatus } from "../../../src/operations/worker-status.ts";

/** The instant at which a fleet is looked at. */
export const NOW = Date.parse("2026-11-24T08:00:00.000Z");

export const RAMP = { percents: [5, 25, 50], stepMs: 10_000 };

const WELL: ProviderReport = {
  provider: "relay",
  state: { kind: "closed" },
  votes: [],
  pause: null,
  probedBy: null,
};

export function reportOf(provider: string, more: Partial<ProviderReport> = {}): ProviderReport {
  return { ...WELL, provider, ...more };
}

const UNUSED: Usage = {
  minute: { used: 0, booked: 0, limit: null, pace: 1 },
  day: { used: 0, limit: null, resetsAt: null },
  month: { used: 0, limit: null, resetsAt: Date.parse("2026-12-01T00:00:00Z") },
  connections: { used: 0, limit: null },
  emptyAt: null,
  dayEmptyAt: null,
  monthEmptyAt: null,
};

export function usageOf(more: Partial<Usage>): Usage {
  return { ...UNUSED, ...more };
}

export function worker(name: string, providers: Readonly<Record<string, Partial<ProviderStatus>>> = {}): SeenWorker {
  const well = { percent: 100, breaker: "closed", isPaused: false, slow: null, lastFailure: null } as const;
  const told = Object.entries(providers).map(([provider, more]) => [provider, { ...well, ...more }] as const);
  return { name, status: { startedAt: "2026-11-24T06:00:00.000Z", providers: Object.fromEntries(told) } };
}

export type ViewParts = {
  readonly reports?: readonly ProviderReport[];
  readonly usage?: Readonly<Record<string, Usage>>;
  readonly workers?: readonly SeenWorker[];
  readonly changes?: readonly Change[];
  readonly pools?: Readonly<Record<string, readonly string[]>>;
};

/** What Redis holds of a fleet, its clock being ours. */
export function viewOf({
  reports = [],
  usage = {},
  workers = [worker("host:1")],
  changes = [],
  pools = {},
}: ViewParts): FleetView {
  const state = foldChanges(changes, NO_CHANGES);
  return {
    now: NOW,
    reports: new Map(reports.map((report) => [report.provider, report])),
    usage: new Map(Object.entries(usage)),
    workers,
    overlay: overlayAt(state, NOW, 0, pools),
    pools,
    changes: { state, now: NOW },
  };
}
