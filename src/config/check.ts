import type { ProviderDefinition } from "../core/index.ts";
import { coreSettings, providerSettings, webhookSettings } from "./catalogue.ts";
import { closest } from "./closest.ts";
import { DURATION_FORM, readDurations } from "./duration.ts";
import { nounOf, parseSettings, quote } from "./finding.ts";
import type { Finding } from "./finding.ts";
import { secretsOf } from "./redact.ts";
import type { IsSecret } from "./redact.ts";
import { GROUP_EXPECTED } from "./rule-text.ts";
import { coreSchema } from "./schema.ts";
import type { Config, ProviderConfig } from "./schema.ts";
import { deepFreeze, isTree } from "./tree.ts";
import type { Tree } from "./tree.ts";

const PROVIDER_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const PROVIDER_NAME_MAX_LENGTH = 40;

export type CheckResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** Checks a whole tree of settings and fills in defaults. All that is wrong is found at once. The result is frozen. */
export function checkConfig(settings: Tree, definitions: readonly ProviderDefinition[]): CheckResult {
  const { tree, bad } = readDurations(settings);
  const { providers, ...core } = tree as Tree;
  const isSecret = secretsOf(settings, definitions);
  const durations = bad.map(({ path, text }) => ({
    path,
    text: `${quote(text)} is not a duration: write ${DURATION_FORM}`,
    missing: false,
  }));
  const endpoints = isTree(core["webhooks"]) ? Object.keys(core["webhooks"]) : [];
  const known = [
    ...coreSettings().map(({ path }) => path),
    ...endpoints.flatMap((name) => webhookSettings().map(({ path }) => ["webhooks", name, ...path])),
    ["providers"],
  ];
  const parsedCore = parseSettings(coreSchema, core, { at: [], isSecret, known });
  const parsedProviders = checkProviders(providers, definitions, isSecret);
  if (parsedCore.ok && parsedProviders.ok && durations.length === 0) {
    return { ok: true, config: deepFreeze({ ...parsedCore.data, providers: parsedProviders.providers }) };
  }
  const found = [
    ...(parsedCore.ok ? [] : parsedCore.findings),
    ...(parsedProviders.ok ? [] : parsedProviders.findings),
  ];
  const isNamed = (finding: Finding) => durations.some(({ path }) => path.join(".") === finding.path.join("."));
  return { ok: false, findings: [...durations, ...found.filter((finding) => !isNamed(finding))] };
}

type ProvidersResult =
  | { readonly ok: true; readonly providers: Readonly<Record<string, ProviderConfig>> }
  | { readonly ok: false; readonly findings: readonly Finding[] };

function checkProviders(
  value: unknown,
  definitions: readonly ProviderDefinition[],
  isSecret: IsSecret,
): ProvidersResult {
  if (value !== undefined && !isTree(value)) {
    return { ok: false, findings: [{ path: ["providers"], text: "is not a group of providers", missing: false }] };
  }
  if (value === undefined || Object.keys(value).length === 0) {
    return { ok: false, findings: [{ path: ["providers"], text: "names no provider", missing: true }] };
  }
  const results = Object.entries(value).map(([name, entry]) => ({
    name,
    result: checkProvider(name, entry, definitions, isSecret),
  }));
  const findings = results.flatMap(({ result }) => (result.ok ? [] : result.findings));
  if (findings.length > 0) return { ok: false, findings };
  const providers = results.flatMap(({ name, result }) => (result.ok ? [[name, result.provider] as const] : []));
  return { ok: true, providers: Object.fromEntries(providers) };
}

function checkProvider(
  name: string,
  entry: unknown,
  definitions: readonly ProviderDefinition[],
  isSecret: IsSecret,
):
  | { readonly ok: true; readonly provider: ProviderConfig }
  | { readonly ok: false; readonly findings: readonly Finding[] } {
  const at = ["providers", name];
  const fail = (path: readonly string[], text: string, missing = false) =>
    ({ ok: false, findings: [{ path, text, missing }] }) as const;
  if (!PROVIDER_NAME.test(name)) {
    return fail(at, "is no name for a provider: use lower-case letters and digits, and hyphens between them");
  }
  if (name.length > PROVIDER_NAME_MAX_LENGTH) {
    return fail(at, `is no name for a provider: it has more than ${PROVIDER_NAME_MAX_LENGTH} characters`);
  }
  if (!isTree(entry)) return fail(at, `${nounOf(entry)} ${GROUP_EXPECTED}`);
  const { kind } = entry;
  const kinds = definitions.map((definition) => definition.kind);
  if (kind === undefined) return fail([...at, "kind"], `is missing: one of ${kinds.join(", ")}`);
  const definition = definitions.find((candidate) => candidate.kind === kind);
  if (definition === undefined) {
    const meant = typeof kind === "string" ? closest(kind, kinds) : null;
    return fail(
      [...at, "kind"],
      `${quote(kind)} is not one of ${kinds.join(", ")}${meant === null ? "" : `; did you mean ${meant}?`}`,
    );
  }
  const known = providerSettings(definition).map(({ path }) => path);
  const parsed = parseSettings(definition.settings, entry, { at, isSecret, known });
  return parsed.ok ? { ok: true, provider: { ...parsed.data, kind: definition.kind } } : parsed;
}
