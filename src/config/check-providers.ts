import type { ProviderDefinition } from "../core/index.ts";
import { providerSettings } from "./catalogue.ts";
import { closest } from "./closest.ts";
import { nounOf, parseSettings, quote } from "./finding.ts";
import type { Finding } from "./finding.ts";
import { expandPools, pathInPool, poolsOf } from "./pool.ts";
import type { ProviderEntry } from "./pool.ts";
import type { IsSecret } from "./redact.ts";
import { GROUP_EXPECTED } from "./rule-text.ts";
import type { ProviderConfig } from "./schema.ts";
import { isTree } from "./tree.ts";
import type { Path } from "./tree.ts";

const PROVIDER_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const PROVIDER_NAME_MAX_LENGTH = 40;

type Providers = {
  readonly providers: Readonly<Record<string, ProviderConfig>>;
  readonly pools: Readonly<Record<string, readonly string[]>>;
};

/** Providers, the members of each pool by themselves, each checked by the schema of its kind. */
export function checkProviders(
  value: unknown,
  definitions: readonly ProviderDefinition[],
  isSecret: IsSecret,
): Providers & { readonly findings: readonly Finding[] } {
  const fail = (text: string, missing: boolean) => ({
    providers: {},
    pools: {},
    findings: [{ path: ["providers"], text, missing }],
  });
  if (value !== undefined && !isTree(value)) return fail("is not a group of providers", false);
  if (value === undefined || Object.keys(value).length === 0) return fail("names no provider", true);
  const { entries, findings } = expandPools(value, definitions);
  const checked = entries.map((entry) => ({ name: entry.name, result: checkProvider(entry, definitions, isSecret) }));
  const found = checked.flatMap(({ result }) => (result.ok ? [] : result.findings));
  const providers = checked.flatMap(({ name, result }) => (result.ok ? [[name, result.provider] as const] : []));
  return {
    providers: Object.fromEntries(providers),
    pools: poolsOf(entries),
    findings: [...findings, ...withoutRepeats(found)],
  };
}

type ProviderResult =
  | { readonly ok: true; readonly provider: ProviderConfig }
  | { readonly ok: false; readonly findings: readonly Finding[] };

function checkProvider(
  entry: ProviderEntry,
  definitions: readonly ProviderDefinition[],
  isSecret: IsSecret,
): ProviderResult {
  const { settings } = entry;
  const at = ["providers", entry.writtenAs];
  const fail = (path: Path, text: string): ProviderResult => ({
    ok: false,
    findings: [{ path, text, missing: false }],
  });
  const badName = nameProblem(entry);
  if (badName !== null) return fail(at, badName);
  if (!isTree(settings)) return fail(at, `${nounOf(settings)} ${GROUP_EXPECTED}`);
  const { kind } = settings;
  const kinds = definitions.map((definition) => definition.kind);
  if (kind === undefined) return fail([...at, "kind"], `is missing: one of ${kinds.join(", ")}`);
  const definition = definitions.find((candidate) => candidate.kind === kind);
  if (definition === undefined) {
    const meant = typeof kind === "string" ? closest(kind, kinds) : null;
    const hint = meant === null ? "" : `; did you mean ${meant}?`;
    return fail([...at, "kind"], `${quote(kind)} is not one of ${kinds.join(", ")}${hint}`);
  }
  const known = providerSettings(definition).map(({ path }) => path);
  const parsed = parseSettings(definition.settings, settings, { at, isSecret, known });
  if (parsed.ok) return { ok: true, provider: { ...parsed.data, kind: definition.kind } };
  return { ok: false, findings: parsed.findings.flatMap((finding) => asWritten(finding, entry)) };
}

function nameProblem({ name, writtenAs, member }: ProviderEntry): string | null {
  if (!PROVIDER_NAME.test(writtenAs)) {
    return "is no name for a provider: use lower-case letters and digits, and hyphens between them";
  }
  if (name.length <= PROVIDER_NAME_MAX_LENGTH) return null;
  const what = member === null ? "it has" : `its member ${name} has`;
  return `is no name for a provider: ${what} more than ${PROVIDER_NAME_MAX_LENGTH} characters`;
}

/** A finding where the configuration has the setting. What only the list of a pool is to blame for is told of the list. */
function asWritten(finding: Finding, entry: ProviderEntry): readonly Finding[] {
  const below = finding.path.slice(2);
  const { member, settings } = entry;
  const isOfList = member !== null && below[0] === member.each;
  if (isOfList && isTree(settings) && settings[member.each] === undefined) return [];
  return [{ ...finding, path: ["providers", entry.writtenAs, ...pathInPool(below, entry)] }];
}

/** The members of a pool have most settings in common, and what is wrong with them too. */
function withoutRepeats(findings: readonly Finding[]): readonly Finding[] {
  const keyOf = ({ path, text }: Finding): string => JSON.stringify([path, text]);
  return [...new Map(findings.map((finding) => [keyOf(finding), finding])).values()];
}
