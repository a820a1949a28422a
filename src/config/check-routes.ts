import { closest } from "./closest.ts";
import { quote } from "./finding.ts";
import type { Finding } from "./finding.ts";
import { routesSchema } from "./schema-routes.ts";
import type { RouteConfig } from "./schema-routes.ts";

type Pools = Readonly<Record<string, readonly string[]>>;
type When = RouteConfig["when"];

/**
 * What is wrong with routes beside their form: names that no provider has, names that come twice, rules that no message can
 * reach. Nothing where their form is wrong, which is said elsewhere. `written`: the providers as the configuration names them.
 */
export function checkRoutes(routes: unknown, written: readonly string[], pools: Pools): readonly Finding[] {
  const parsed = routesSchema.safeParse(routes);
  // Without providers every name would be wrong, and none of them is the fault.
  if (!parsed.success || written.length === 0) return [];
  const names = [...written, ...Object.values(pools).flat()];
  return parsed.data.flatMap(({ when, use }, index) => {
    const at = ["routes", String(index)];
    const earlier = parsed.data.slice(0, index).findIndex((rule) => covers(rule.when, when));
    const unreachable =
      earlier === -1 ? [] : [{ path: at, text: unreachableText(earlier, parsed.data), missing: false }];
    return [...unreachable, ...findingsIn(use, [...at, "use"], { written, names, pools })];
  });
}

/** Routes with the members of each pool in the place of its name: equals, where it stands alone. */
export function withoutPools<Route extends RouteConfig>(routes: readonly Route[], pools: Pools): readonly Route[] {
  const tier = (entry: string | readonly string[]): string | string[] =>
    typeof entry === "string" && !Object.hasOwn(pools, entry)
      ? entry
      : [entry].flat().flatMap((name) => membersOf(name, pools));
  return routes.map((route) => ({ ...route, use: route.use.map(tier) }));
}

/** The providers that a name stands for. */
function membersOf(name: string, pools: Pools): readonly string[] {
  return (Object.hasOwn(pools, name) ? pools[name] : undefined) ?? [name];
}

function findingsIn(
  use: RouteConfig["use"],
  path: readonly string[],
  { written, names, pools }: { written: readonly string[]; names: readonly string[]; pools: Pools },
): readonly Finding[] {
  const places = use.flatMap((entry, index) =>
    typeof entry === "string"
      ? [{ name: entry, at: [...path, String(index)] }]
      : entry.map((name, place) => ({ name, at: [...path, String(index), String(place)] })),
  );
  const taken = new Set<string>();
  return places.flatMap(({ name, at }) => {
    if (!names.includes(name)) {
      const meant = closest(name, names);
      const hint = meant === null ? "" : `; did you mean ${meant}?`;
      return [
        { path: at, text: `${quote(name)} is not one of the providers ${written.join(", ")}${hint}`, missing: false },
      ];
    }
    const providers = membersOf(name, pools);
    const twice = providers.some((provider) => taken.has(provider));
    for (const provider of providers) taken.add(provider);
    return twice ? [{ path: at, text: `${quote(name)} is named twice`, missing: false }] : [];
  });
}

function unreachableText(index: number, routes: readonly RouteConfig[]): string {
  const takesAll = Object.values(routes[index]?.when ?? {}).every((condition) => condition === undefined);
  return takesAll
    ? `is never reached: routes[${index}] has no conditions and takes all mail`
    : `is never reached: routes[${index}] takes all mail that it could take`;
}

/** Whether every message that `later` is about falls under `earlier` as well. */
function covers(earlier: When, later: When): boolean {
  return (Object.keys(earlier) as (keyof When)[]).every((condition) => {
    const [wide, narrow] = [earlier[condition], later[condition]];
    if (wide === undefined) return true;
    if (narrow === undefined) return false;
    const takes = condition.endsWith("Domain") ? domainTakes : (one: string, other: string) => one === other;
    return [narrow].flat().every((value) => [wide].flat().some((candidate) => takes(candidate, value)));
  });
}

function domainTakes(wide: string, narrow: string): boolean {
  return wide === narrow || (wide.startsWith("*.") && narrow.replace(/^\*/, "").endsWith(wide.slice(1)));
}
