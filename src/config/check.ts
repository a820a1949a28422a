import type { ProviderDefinition } from "../core/index.ts";
import { coreSettings, webhookSettings } from "./catalogue.ts";
import { checkProviders } from "./check-providers.ts";
import { checkRoutes, withoutPools } from "./check-routes.ts";
import { DURATION_FORM, readDurations } from "./duration.ts";
import { parseSettings, quote } from "./finding.ts";
import type { Finding } from "./finding.ts";
import { secretsOf } from "./redact.ts";
import { coreSchema } from "./schema.ts";
import type { Config } from "./schema.ts";
import { ROUTE_PATHS } from "./schema-routes.ts";
import { deepFreeze, isTree } from "./tree.ts";
import type { Path, Tree } from "./tree.ts";

export type CheckResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** Checks a whole tree of settings and fills in defaults. All that is wrong is found at once. The result is frozen. */
export function checkConfig(settings: Tree, definitions: readonly ProviderDefinition[]): CheckResult {
  const { tree, bad } = readDurations(settings);
  const { providers: written, ...core } = tree as Tree;
  const isSecret = secretsOf(settings, definitions);
  const durations = bad.map(({ path, text }) => ({
    path,
    text: `${quote(text)} is not a duration: write ${DURATION_FORM}`,
    missing: false,
  }));
  const parsedCore = parseSettings(coreSchema, core, { at: [], isSecret, known: knownPaths(core) });
  const { providers, pools, findings } = checkProviders(written, definitions, isSecret);
  const found = [
    ...(parsedCore.ok ? [] : parsedCore.findings),
    ...checkRoutes(core["routes"], isTree(written) ? Object.keys(written) : [], pools),
    ...findings,
  ];
  if (parsedCore.ok && found.length === 0 && durations.length === 0) {
    const routes = withoutPools(parsedCore.data.routes, pools);
    return { ok: true, config: deepFreeze({ ...parsedCore.data, routes, providers, pools }) };
  }
  const isNamed = (finding: Finding) => durations.some(({ path }) => path.join(".") === finding.path.join("."));
  return { ok: false, findings: [...durations, ...found.filter((finding) => !isNamed(finding))] };
}

/** Every path that exists beside those of providers, with the endpoints and rules that this tree has. */
function knownPaths({ webhooks, routes }: Tree): readonly Path[] {
  const endpoints = isTree(webhooks) ? Object.keys(webhooks) : [];
  const rules = Array.isArray(routes) ? [...routes.keys()] : [];
  return [
    ...coreSettings().map(({ path }) => path),
    ...endpoints.flatMap((name) => webhookSettings().map(({ path }) => ["webhooks", name, ...path])),
    ...rules.flatMap((index) => ROUTE_PATHS.map((path) => ["routes", String(index), ...path])),
    ["providers"],
  ];
}
