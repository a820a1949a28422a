import { placeOf } from "../core/index.ts";
import type { Random, Submission } from "../core/index.ts";
import { AS_CONFIGURED, NOTHING_CHANGED } from "../control/overlay.ts";
import type { Overlay, Standing } from "../control/overlay.ts";
import type { Gate } from "../gate/gate.ts";
import { factsOf, matches, routeFor, tiersOf } from "./route-rules.ts";
import type { RouteFacts, RouteRule } from "./route-rules.ts";

/** A provider as the route sees it. Lower `priority` comes first; equal ones share by `weight`. */
export type Upstream = {
  readonly name: string;
  readonly priority: number;
  readonly weight: number;
  readonly gate: Gate;
};

/** What sets the order of providers beside their own settings. */
export type Routing = {
  readonly rules: readonly RouteRule[];
  /** Names that stand for several providers. */
  readonly pools: Readonly<Record<string, readonly string[]>>;
  /** What is changed at run time, as it is now. */
  readonly overlay: () => Overlay;
};

/** The order as it is configured for each provider, and nothing more. */
export const BY_PRIORITY: Routing = { rules: [], pools: {}, overlay: () => NOTHING_CHANGED };

export type Order = {
  /** Equals in one tier, the one whose turn it is first. */
  readonly tiers: readonly (readonly Upstream[])[];
  /** Names that the message asks for, and nobody configured. */
  readonly unknown: readonly string[];
  /** To whom operators moved this message. */
  readonly shifted: readonly string[];
  /** What set the order, in words. */
  readonly because: string;
};

/** What operators changed about a provider. */
export function standingOf({ standings }: Overlay, provider: string): Standing {
  return standings[provider] ?? AS_CONFIGURED;
}

/**
 * The order for one message: its own `providers`; else the first rule that it falls under; else priorities. Among equals by
 * chance, by weight. What operators prefer, or shift, goes before all, except where the message names its providers.
 */
export function orderFor(
  upstreams: readonly Upstream[],
  { id, submission }: { readonly id: string; readonly submission: Submission },
  routing: Routing,
  random: Random,
): Order {
  const overlay = routing.overlay();
  const facts = factsOf(submission);
  const { names, because } = namesFor(submission, facts, routing);
  const named = names?.map((tier) =>
    tier.flatMap((name) => upstreams.find((upstream) => upstream.name === name) ?? []),
  );
  const unknown = (names ?? []).flat().filter((name) => !upstreams.some((upstream) => upstream.name === name));
  const tiers = withoutRepeats(named ?? byPriority(upstreams)).map((tier) => shuffled(tier, overlay, random));
  if (submission.providers !== null) return { tiers, unknown, shifted: [], because };
  const preferred = tiers.flat().filter(({ name }) => standingOf(overlay, name).preferred);
  const isMoved = ({ name }: Upstream): boolean => isShifted(name, id, facts, overlay, routing.pools);
  const shifted = shuffled(upstreams.filter(isMoved), overlay, random);
  const front = [...preferred, ...shifted];
  if (front.length === 0) return { tiers, unknown, shifted: [], because };
  const moved = front.map(({ name }) => name).join(", ");
  const all = withoutRepeats([...front.map((upstream) => [upstream]), ...tiers]);
  return {
    tiers: all,
    unknown,
    shifted: shifted.map(({ name }) => name),
    because: `${because}; ${moved} first, as operators have it`,
  };
}

function namesFor(
  { providers }: Submission,
  facts: RouteFacts,
  { rules, pools }: Routing,
): { readonly names: readonly (readonly string[])[] | null; readonly because: string } {
  if (providers !== null) return { names: tiersOf(providers, pools), because: "the message names its providers" };
  const { rule, tiers } = routeFor(rules, facts);
  if (rule === null || tiers === null) return { names: null, because: "by priority" };
  const names = tiers.map((tier) => tiersOf(tier, pools).flat());
  return { names, because: `routes[${rule.index}], ${rule.text}` };
}

function byPriority(upstreams: readonly Upstream[]): Upstream[][] {
  const priorities = [...new Set(upstreams.map(({ priority }) => priority))].toSorted((one, other) => one - other);
  return priorities.map((priority) => upstreams.filter((upstream) => upstream.priority === priority));
}

/** Exponential keys give each its share of the first places (Efraimidis and Spirakis, 2006). */
function shuffled(tier: readonly Upstream[], overlay: Overlay, random: Random): Upstream[] {
  if (tier.length < 2) return [...tier];
  return tier
    .map((upstream) => {
      const weight = standingOf(overlay, upstream.name).weight ?? upstream.weight;
      return { upstream, key: -Math.log(1 - random()) / weight };
    })
    .toSorted((one, other) => one.key - other.key)
    .map(({ upstream }) => upstream);
}

function isShifted(
  provider: string,
  id: string,
  facts: RouteFacts,
  { shifts }: Overlay,
  pools: Routing["pools"],
): boolean {
  return shifts.some(
    ({ to, percent, when }) =>
      (to === provider || (pools[to] ?? []).includes(provider)) &&
      matches(when, facts) &&
      placeOf(id, `shift to ${to}`) < percent / 100,
  );
}

function withoutRepeats(tiers: readonly (readonly Upstream[])[]): Upstream[][] {
  const seen = new Set<Upstream>();
  return tiers
    .map((tier) =>
      tier.filter((upstream) => {
        const isNew = !seen.has(upstream);
        seen.add(upstream);
        return isNew;
      }),
    )
    .filter((tier) => tier.length > 0);
}
