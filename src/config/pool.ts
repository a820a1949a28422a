import type { ProviderDefinition } from "../core/index.ts";
import { nounOf } from "./finding.ts";
import type { Finding } from "./finding.ts";
import { isTree } from "./tree.ts";
import type { Path, Tree } from "./tree.ts";

/** Each has a gate, connections and a token of its own, on every worker. */
const MOST_MEMBERS = 100;

/** A provider as it will be, with its settings still unchecked, and where it was written. */
export type ProviderEntry = {
  readonly name: string;
  readonly settings: unknown;
  /** The group that a configuration has for it: its own name, or its pool's. */
  readonly writtenAs: string;
  /** For a member of a pool: the setting that makes it one, and where its value stands in the list. */
  readonly member: { readonly each: string; readonly list: string; readonly index: number } | null;
};

/** Puts the members of each pool in the pool's place. Its other settings are checked also where the list is no good. */
export function expandPools(
  providers: Tree,
  definitions: readonly ProviderDefinition[],
): { readonly entries: readonly ProviderEntry[]; readonly findings: readonly Finding[] } {
  const entries: ProviderEntry[] = [];
  const findings: Finding[] = [];
  for (const [name, settings] of Object.entries(providers)) {
    const pool = isTree(settings) ? definitions.find(({ kind }) => kind === settings["kind"])?.pool : undefined;
    if (!isTree(settings) || pool === undefined || settings[pool.list] === undefined) {
      entries.push({ name, settings, writtenAs: name, member: null });
      continue;
    }
    const { [pool.list]: list, ...common } = settings;
    const found = findingsIn(list, ["providers", name, pool.list], common[pool.each] === undefined ? null : pool.each);
    findings.push(...found);
    // A list that is no good still makes a member, so that the other settings are checked.
    const values = Array.isArray(list) && list.length > 0 && list.length <= MOST_MEMBERS ? list : [undefined];
    for (const [index, value] of values.entries()) {
      const member = { each: pool.each, list: pool.list, index };
      const own = { ...common, [pool.each]: value };
      entries.push({ name: `${name}-${index + 1}`, settings: own, writtenAs: name, member });
    }
  }
  return { entries, findings: [...findings, ...sharedNames(entries)] };
}

/** The members of each pool, in order. */
export function poolsOf(entries: readonly ProviderEntry[]): Readonly<Record<string, readonly string[]>> {
  const pools: Record<string, string[]> = {};
  for (const { name, writtenAs, member } of entries) if (member !== null) (pools[writtenAs] ??= []).push(name);
  return pools;
}

/** Where a setting of a provider stands in the files: that of a pool's member stands in the pool. */
export function writtenPath(path: Path, entries: readonly ProviderEntry[]): Path {
  const [group, name, ...rest] = path;
  const entry = group === "providers" ? entries.find((candidate) => candidate.name === name) : undefined;
  return entry === undefined ? path : ["providers", entry.writtenAs, ...pathInPool(rest, entry)];
}

/** The same below the provider's name. */
export function pathInPool(path: Path, { member }: ProviderEntry): Path {
  if (member === null || path[0] !== member.each) return path;
  return [member.list, String(member.index), ...path.slice(1)];
}

/** What is wrong with a list itself, without its values: they may be secrets. `beside`: the setting in whose place it stands, where that is there as well. */
function findingsIn(list: unknown, path: Path, beside: string | null): readonly Finding[] {
  const finding = (text: string, at = path): Finding => ({ path: at, text, missing: false });
  if (beside !== null) return [finding(`is set beside ${beside}: keep one of them`)];
  if (!Array.isArray(list)) return [finding(`${nounOf(list)} is not a list`)];
  if (list.length === 0) return [finding("does not have at least 1 entry")];
  if (list.length > MOST_MEMBERS) return [finding(`does not have at most ${MOST_MEMBERS} entries`)];
  const plain = list.map((value: unknown) => String(value).toLowerCase());
  return plain.flatMap((value, index) => {
    const first = plain.indexOf(value);
    return first === index ? [] : [finding(`is the same as ${path.at(-1)}[${first}]`, [...path, String(index)])];
  });
}

/** Providers that would have a name that a pool gives to a member of its own. */
function sharedNames(entries: readonly ProviderEntry[]): readonly Finding[] {
  const written = new Set(entries.map(({ writtenAs }) => writtenAs));
  return entries.flatMap(({ name, writtenAs, member }) =>
    member !== null && written.has(name)
      ? [{ path: ["providers", name], text: `is also the name of a member of the pool ${writtenAs}`, missing: false }]
      : [],
  );
}
