import { agoInWords, instantInWords, oneLine, whenInWords } from "./in-words.ts";
import { describeLimitsLeft } from "./limits-left.ts";
import type { Condition, ProviderOverview, WorkerException } from "./provider-overview.ts";
import type { SeenWorker } from "./fleet-view.ts";
import type { StandingChange } from "./run-time-changes.ts";

/** All that `mailover providers` tells. */
export type ProvidersReport = {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly providers: readonly ProviderOverview[];
  readonly workers: readonly SeenWorker[];
  readonly changes: readonly StandingChange[];
};

/** Plain lines: the providers in order, each with what keeps mail from it and what to type; the workers; the changes. */
export function formatProviders({ now, providers, workers, changes }: ProvidersReport): string {
  return [
    ...providers.flatMap((provider) => providerLines(provider, providers, now)),
    workersLine(workers),
    ...changesLines(changes),
  ].join("\n");
}

/** How much of its mail a provider takes, and what keeps the rest from it: "works, takes all of its mail". */
export function describeStanding({ conditions, percent }: ProviderOverview, now: number): string {
  const share = percent === 100 ? "works, takes all of its mail" : `takes ${percent} % of its mail`;
  const states = conditions.map((condition) => describeCondition(condition, now));
  const isAtLimit = percent === 100 && conditions.some(({ kind }) => kind === "limit");
  return [isAtLimit ? "works" : percent === 0 ? "takes no mail" : share, ...states].join("; ");
}

function describeCondition(condition: Condition, now: number): string {
  switch (condition.kind) {
    case "drained": {
      const until = condition.untilAt === null ? "" : ` until ${whenInWords(condition.untilAt, now)}`;
      return `drained by ${condition.by}${until}: ${oneLine(condition.reason)}; to end it: mailover resume ${condition.name}`;
    }
    case "open": {
      const { untilAt, probedBy } = condition;
      const next = probedBy === null ? `probed next ${atOrNow(untilAt, now)}` : `probed now by ${probedBy}`;
      return `breaker open for the fleet, ${next}: ${oneLine(condition.reason)}`;
    }
    case "paused": {
      const why = condition.cause === "quota" ? "quota used up" : "throttled";
      return `${why} until ${whenInWords(condition.untilAt, now)}: ${oneLine(condition.reason)}`;
    }
    case "ramp":
      return `on its way back, the next step ${atOrNow(condition.untilAt, now)}`;
    case "slow":
      return `slow: ${oneLine(condition.reason)}`;
    case "limit": {
      const until = condition.untilAt === null ? "" : ` until ${whenInWords(condition.untilAt, now)}`;
      return `at its limit${until}: ${condition.reason}`;
    }
  }
}

function providerLines(provider: ProviderOverview, all: readonly ProviderOverview[], now: number): string[] {
  const { name, kind, conditions, usage, exceptions } = provider;
  const open = conditions.find((condition) => condition.kind === "open");
  const left = usage === null ? null : describeLimitsLeft(usage, now);
  const further = [
    ...(open === undefined ? [] : [remedyOf(name, open.remedy)]),
    ...(left === null ? [] : [`left: ${left}`]),
    ...failureLines(provider, open, now),
    ...exceptions.map(describeException),
  ];
  const first = `${name} (${kind}, ${placeOf(provider, all)}): ${describeStanding(provider, now)}`;
  return [first, ...further.map((line) => `  ${line}`)];
}

/** What to type where a breaker is open. */
export function remedyOf(name: string, remedy: string | null): string {
  return remedy === null ? `to see where it breaks: mailover verify ${name}` : `to mend it: ${oneLine(remedy)}`;
}

function placeOf({ name, priority, weight, isPreferred }: ProviderOverview, all: readonly ProviderOverview[]): string {
  const hasEquals = all.some((other) => other.name !== name && other.priority === priority);
  return `priority ${priority}${hasEquals ? `, weight ${weight}` : ""}${isPreferred ? ", before all others" : ""}`;
}

/** Of a failure that the breaker is open for, when it was is all that is new. */
function failureLines(
  { lastFailure }: ProviderOverview,
  open: { readonly reason: string; readonly remedy: string | null } | undefined,
  now: number,
): string[] {
  if (lastFailure === null) return [];
  const { at, worker, reason, remedy } = lastFailure;
  const mend = remedy === null || remedy === open?.remedy ? "" : ` To mend it: ${oneLine(remedy)}`;
  return [`last failure ${agoInWords(at, now)}, at ${worker}: ${oneLine(reason)}${mend}`];
}

function describeException({ worker, kind, percent, reason }: WorkerException): string {
  const why = reason === null ? "" : `: ${oneLine(reason)}`;
  if (kind === "open") return `worker ${worker} holds its own breaker open${why}`;
  return `worker ${worker} gives it ${percent} % of its mail${why}`;
}

function workersLine(workers: readonly SeenWorker[]): string {
  if (workers.length === 0) {
    return "no gateway is running: nobody sends mail, and what is told above is from when one did; to start one: mailover start";
  }
  const each = workers.map(({ name, status }) => `${name}${status === null ? "" : sinceOf(status.startedAt)}`);
  return `${workers.length} ${workers.length === 1 ? "worker" : "workers"}: ${each.join(", ")}`;
}

function sinceOf(startedAt: string): string {
  const at = Date.parse(startedAt);
  return Number.isNaN(at) ? "" : ` since ${instantInWords(at)}`;
}

function changesLines(changes: readonly StandingChange[]): string[] {
  if (changes.length === 0) return ["nothing is changed at run time"];
  return changes.map(({ sentence, by, reason, undo }) => {
    const why = reason === "" ? "" : ` (${oneLine(reason)})`;
    return `changed at run time by ${by}: ${sentence}${why}; to undo it: ${undo}`;
  });
}

function atOrNow(at: number, now: number): string {
  const when = whenInWords(at, now);
  return when === "now" ? when : `at ${when}`;
}
