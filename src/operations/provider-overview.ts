import { holds } from "../control/state.ts";
import { standingOf } from "../delivery/order.ts";
import type { ProviderReport } from "../gate/fleet/read-fleet.ts";
import type { Usage } from "../gate/limits/read-usage.ts";
import { rampAt } from "../gate/ramp.ts";
import type { RampSettings } from "../gate/ramp.ts";
import { exhaustedLimit } from "./limits-left.ts";
import type { FleetView, SeenWorker } from "./fleet-view.ts";
import type { ProviderStatus } from "./worker-status.ts";

/** A provider as it is configured. */
export type ConfiguredProvider = {
  readonly name: string;
  readonly kind: string;
  readonly priority: number;
  readonly weight: number;
};

/** What keeps some or all of its mail from a provider. Instants are epoch milliseconds. */
export type Condition =
  | {
      readonly kind: "drained";
      readonly by: string;
      readonly reason: string;
      readonly untilAt: number | null;
      /** What was drained: the provider, or its pool. */
      readonly name: string;
    }
  | {
      readonly kind: "open";
      readonly reason: string;
      readonly remedy: string | null;
      /** When it is probed next. */
      readonly untilAt: number;
      /** The worker that probes it now, or null. */
      readonly probedBy: string | null;
    }
  | {
      readonly kind: "paused";
      readonly cause: "throttled" | "quota";
      readonly reason: string;
      readonly untilAt: number;
    }
  /** On its way back; the next step at `untilAt`. */
  | { readonly kind: "ramp"; readonly percent: number; readonly untilAt: number }
  | { readonly kind: "slow"; readonly reason: string }
  /** A limit of ours is used up: its mail waits in line, or goes elsewhere. `untilAt` null: it comes back bit by bit. */
  | { readonly kind: "limit"; readonly reason: string; readonly untilAt: number | null };

/** How a provider stands with the fleet. */
export type ProviderOverview = ConfiguredProvider & {
  /** The gravest first; none: it works. */
  readonly conditions: readonly Condition[];
  /** Of its mail, that it gets now, in percent: the mean over the workers. */
  readonly percent: number;
  readonly isPreferred: boolean;
  readonly usage: Usage | null;
  /** The latest failure that was the provider's, of any worker. */
  readonly lastFailure: {
    readonly at: number;
    readonly worker: string;
    readonly reason: string;
    readonly remedy: string | null;
  } | null;
  /** What single workers do otherwise than the fleet. */
  readonly exceptions: readonly WorkerException[];
};

/** `reason` null: not known. */
export type WorkerException = {
  readonly worker: string;
  readonly kind: "open" | "slow" | "less";
  readonly percent: number;
  readonly reason: string | null;
};

export type OverviewSettings = {
  readonly ramp: RampSettings;
  /** What may be shown of a text that a provider wrote: without addresses, unless they may be seen. */
  readonly show: (text: string) => string;
};

/** How the providers stand, in the order of their priorities. */
export function overviewOf(
  providers: readonly ConfiguredProvider[],
  view: FleetView,
  settings: OverviewSettings,
): ProviderOverview[] {
  return providers
    .toSorted((one, other) => one.priority - other.priority)
    .map((provider) => providerOverview(provider, view, settings));
}

function providerOverview(
  provider: ConfiguredProvider,
  view: FleetView,
  { ramp, show }: OverviewSettings,
): ProviderOverview {
  const { name, kind, priority } = provider;
  const report = view.reports.get(name);
  const { preferred, weight, drain } = standingOf(view.overlay, name);
  const ofFleet: Condition[] = [
    ...(drain === null ? [] : [{ kind: "drained", ...drain, name: drainedName(name, view) } as const]),
    ...(report === undefined ? [] : conditionsOf(report, ramp, view.now).map((condition) => shown(condition, show))),
  ];
  const fleetPercent = Math.min(...ofFleet.map(percentUnder), 100);
  const statuses = view.workers.flatMap((worker) => statusAt(worker, name));
  const exceptions = statuses
    .flatMap((status) => exceptionOf(status, report, fleetPercent))
    .map((exception) => shown(exception, show));
  const usage = view.usage.get(name) ?? null;
  const exhausted = usage === null ? null : exhaustedLimit(usage);
  const failure = latestFailure(statuses);
  const slow = exceptions.find((exception) => exception.kind === "slow");
  return {
    name,
    kind,
    priority,
    weight: weight ?? provider.weight,
    conditions: [
      ...ofFleet,
      ...(slow === undefined ? [] : [{ kind: "slow", reason: slow.reason ?? "" } as const]),
      ...(exhausted === null ? [] : [{ kind: "limit", ...exhausted } as const]),
    ],
    percent: meanPercent(fleetPercent, exceptions, statuses.length),
    isPreferred: preferred,
    usage,
    lastFailure: failure === null ? null : shown(failure, show),
    exceptions,
  };
}

/** The name under which somebody drained a provider: its own, or its pool's. */
function drainedName(provider: string, { pools, changes: { state, now } }: FleetView): string {
  const names = [provider, ...Object.keys(pools).filter((pool) => pools[pool]?.includes(provider))];
  return names.find((name) => state.drains[name] !== undefined && holds(state.drains[name], now)) ?? provider;
}

function conditionsOf({ state, pause, probedBy }: ProviderReport, ramp: RampSettings, now: number): Condition[] {
  const conditions: Condition[] = [];
  if (state.kind === "open") conditions.push({ ...state, probedBy });
  if (pause !== null) conditions.push({ kind: "paused", ...pause });
  if (state.kind === "ramp") {
    const { share, nextAt } = rampAt(ramp, state.startedAt, now);
    if (nextAt !== null) conditions.push({ kind: "ramp", percent: Math.round(share * 100), untilAt: nextAt });
  }
  return conditions;
}

function shown<T extends object>(value: T, show: (text: string) => string): T {
  const texts = Object.entries(value).flatMap(([key, text]) =>
    (key === "reason" || key === "remedy") && typeof text === "string" ? [[key, show(text)]] : [],
  );
  return { ...value, ...Object.fromEntries(texts) };
}

function percentUnder(condition: Condition): number {
  return condition.kind === "ramp" ? condition.percent : 0;
}

type StatusAtWorker = { readonly worker: string; readonly status: ProviderStatus };

function statusAt({ name, status }: SeenWorker, provider: string): StatusAtWorker[] {
  const told = status?.providers?.[provider];
  return told === undefined ? [] : [{ worker: name, status: told }];
}

/** Where the fleet lets nothing through there is no exception; what a worker tells may be a second old. */
function exceptionOf(
  { worker, status }: StatusAtWorker,
  report: ProviderReport | undefined,
  fleetPercent: number,
): WorkerException[] {
  if (fleetPercent === 0) return [];
  const { percent, breaker, isPaused, slow = null } = status;
  if (breaker !== "closed") {
    if (report?.state.kind !== "closed") return [];
    const vote = report.votes.find((candidate) => candidate.worker === worker);
    return [{ worker, kind: "open", percent: 0, reason: vote?.reason ?? null }];
  }
  if (slow !== null) return [{ worker, kind: "slow", percent: Math.min(percent, fleetPercent), reason: slow }];
  return percent < fleetPercent && !isPaused && report?.state.kind === "closed"
    ? [{ worker, kind: "less", percent, reason: null }]
    : [];
}

function meanPercent(fleetPercent: number, exceptions: readonly WorkerException[], workerCount: number): number {
  if (workerCount === 0) return fleetPercent;
  const ofExceptions = exceptions.reduce((sum, { percent }) => sum + percent, 0);
  return Math.round((ofExceptions + fleetPercent * (workerCount - exceptions.length)) / workerCount);
}

function latestFailure(statuses: readonly StatusAtWorker[]): ProviderOverview["lastFailure"] {
  const failures = statuses.flatMap(({ worker, status: { lastFailure } }) =>
    lastFailure === null || lastFailure === undefined
      ? []
      : [{ ...lastFailure, worker, at: Date.parse(lastFailure.at) }],
  );
  return failures.toSorted((one, other) => other.at - one.at)[0] ?? null;
}
