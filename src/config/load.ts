import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { Util } from "config/lib/util.js";
import type { ProviderDefinition } from "../core/index.ts";
import { coreSettings, providerSettings, webhookSettings } from "./catalogue.ts";
import type { Setting } from "./catalogue.ts";
import { checkConfig } from "./check.ts";
import { loadFiles } from "./files.ts";
import type { Environment, Layer } from "./files.ts";
import type { Finding } from "./finding.ts";
import { expandPools, writtenPath } from "./pool.ts";
import type { ProviderEntry } from "./pool.ts";
import type { ConfigProblem } from "./problem.ts";
import { secretsOf } from "./redact.ts";
import type { IsSecret } from "./redact.ts";
import type { Config } from "./schema.ts";
import { formatPath, isTree, leavesOf, valueAt, withoutNulls } from "./tree.ts";
import type { Path, Tree } from "./tree.ts";
import { mappedNames, ownNames, readVariables, unknownVariables, variableName } from "./variables.ts";
import type { VariableName } from "./variables.ts";
import { asWritten } from "./written.ts";

export type LoadOptions = {
  readonly env: Environment;
  /** Folder that `config` and relative paths start from. */
  readonly cwd: string;
  /** The kinds of providers there are. */
  readonly definitions: readonly ProviderDefinition[];
};

export type LoadResult =
  | {
      readonly ok: true;
      readonly config: Config;
      /** For each setting, as `formatPath` writes it, the file or variable it came from; absent: its own default. */
      readonly sources: ReadonlyMap<string, string>;
      readonly isSecret: IsSecret;
      /** What works but should be looked at. */
      readonly warnings: readonly ConfigProblem[];
    }
  | { readonly ok: false; readonly errors: readonly ConfigProblem[]; readonly warnings: readonly ConfigProblem[] };

/** Reads files, then variables, and checks the whole. Everything that is wrong is found at once; nothing is printed. */
export function loadConfig({ env, cwd, definitions }: LoadOptions): LoadResult {
  const files = loadFiles(env, cwd, packageDefaults());
  const inline = readInline(env);
  const underVariables = [files.defaults, ...files.layers, ...inline.layers];
  const settings = settingsOf(merge(underVariables), definitions);
  const mapped = files.mappings.map((mapping) => mappedNames(mapping, settings));
  const configured = merge(underVariables);
  // A variable for a provider, or an endpoint, that this deployment does not have brings none into being.
  const names = [...mapped.flatMap(({ names: some }) => some), ...ownNames(settings)].filter(
    ({ path }) => !isBelowName(path) || isTree(valueAt(configured, path.slice(0, 2))),
  );
  const variables = readVariables(env, names, cwd);
  const layers = [...underVariables, ...variables.layers];
  const tree = merge(layers);
  const isSecret = secretsOf(tree, definitions);
  const warnings = [...files.warnings, ...unknownVariables(env, names), ...openSecrets(files.layers, isSecret)];
  const early = [
    ...files.problems,
    ...inline.problems,
    ...mapped.flatMap(({ problems }) => problems),
    ...variables.problems,
  ];
  // A file that could not be read leaves gaps, which are no findings of their own.
  if (files.problems.length > 0 || inline.problems.length > 0) return { ok: false, errors: early, warnings };
  const checked = checkConfig(tree, definitions);
  if (checked.ok && early.length === 0) {
    const { entries } = expandPools(isTree(tree["providers"]) ? tree["providers"] : {}, definitions);
    return {
      ok: true,
      config: checked.config,
      sources: sourcesOf(checked.config, layers, entries),
      isSecret: (path) => isSecret(writtenPath(path, entries)),
      warnings,
    };
  }
  const broken = new Set(early.map(({ path }) => formatPath(path)));
  const found = (checked.ok ? [] : checked.findings)
    .filter(({ path }) => !broken.has(formatPath(path)))
    // The package's defaults are right by themselves: what contradicts one of them is the fault.
    .map((finding) =>
      locate(finding, { layers: layers.slice(1), names, deploymentFile: files.deploymentFile, isSecret }),
    );
  return { ok: false, errors: [...early, ...found], warnings };
}

/** The defaults that come with the package, which lies above this module both as source and as built. */
function packageDefaults(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return join(folder, "config", "default.yaml");
}

/** node-config's NODE_CONFIG: settings as JSON in one variable. */
function readInline(env: Environment): {
  readonly layers: readonly Layer[];
  readonly problems: readonly ConfigProblem[];
} {
  const text = env["NODE_CONFIG"];
  if (!text) return { layers: [], problems: [] };
  try {
    const settings: unknown = JSON.parse(text);
    if (isTree(settings)) return { layers: [{ source: "NODE_CONFIG", settings }], problems: [] };
  } catch {
    // The parser's message would quote the text, which may hold secrets.
  }
  return { layers: [], problems: [{ source: "NODE_CONFIG", path: [], text: "is not an object of JSON" }] };
}

/** node-config's merging: groups key by key, everything else whole. Then what is null is taken out. */
function merge(layers: readonly Layer[]): Tree {
  const merged: unknown = Util.extendDeep({}, ...layers.map(({ settings }) => settings));
  return withoutNulls(isTree(merged) ? merged : {});
}

/** Whether a setting belongs to something that its deployment names: a provider or a webhook endpoint. */
function isBelowName([group, ...rest]: Path): boolean {
  return group === "providers" || (group === "webhooks" && rest.length > 0);
}

/** Every setting of this tree's core, webhook endpoints and providers. */
function settingsOf(tree: Tree, definitions: readonly ProviderDefinition[]): readonly Setting[] {
  const below = (group: string, settingsFor: (entry: unknown) => readonly Setting[]) =>
    Object.entries(isTree(tree[group]) ? tree[group] : {}).flatMap(([name, entry]) =>
      settingsFor(entry).map((setting) => ({ ...setting, path: [group, name, ...setting.path] })),
    );
  const providers = below("providers", (entry) => {
    const definition = definitions.find(({ kind }) => isTree(entry) && entry["kind"] === kind);
    return definition === undefined ? [] : providerSettings(definition);
  });
  return [...coreSettings(), ...below("webhooks", webhookSettings), ...providers];
}

/** The last layer that has something at this path, or failing that at the nearest path above it. */
function sourceOf(path: Path, layers: readonly Layer[]): string | null {
  for (let length = path.length; length > 0; length--) {
    const source = layers.findLast(
      ({ settings }) => (valueAt(settings, path.slice(0, length)) ?? null) !== null,
    )?.source;
    if (source !== undefined) return source;
  }
  return null;
}

type Surroundings = {
  readonly layers: readonly Layer[];
  readonly names: readonly VariableName[];
  readonly deploymentFile: string;
  readonly isSecret: IsSecret;
};

/** Says where a finding stands, and of what is missing where it may be written. */
function locate({ path, text, missing }: Finding, around: Surroundings): ConfigProblem {
  const source = sourceOf(path, around.layers) ?? around.deploymentFile;
  if (!missing) return { source, path, text };
  if (path.length === 1) return { source: around.deploymentFile, path, text: `${text}; write one into this file` };
  // The first name is the short one of custom-environment-variables, where there is one.
  const name = around.names.find((named) => formatPath(named.path) === formatPath(path))?.name ?? variableName(path);
  const way = around.isSecret(path)
    ? `set ${name}, or ${name}_FILE to the path of a file that holds it`
    : `write it into this file or set ${name}`;
  return { source, path, text: `${text}; ${way}` };
}

function sourcesOf(
  config: Config,
  layers: readonly Layer[],
  entries: readonly ProviderEntry[],
): ReadonlyMap<string, string> {
  const set = asWritten(config).flatMap(({ path }) => {
    const written = writtenPath(path, entries);
    const source = layers.findLast(({ settings }) => (valueAt(settings, written) ?? null) !== null)?.source;
    return source === undefined ? [] : [[formatPath(path), source] as const];
  });
  return new Map(set);
}

/** What the lab's stand-ins take, "lab-client-secret" and "SG.lab.key": opens nothing, and may be seen. */
const LAB_SECRET = /^(?:SG\.)?lab[-.]/;

/** Secrets in files that are shared with others: all but local.yaml and local-{deployment}.yaml. */
function openSecrets(files: readonly Layer[], isSecret: IsSecret): readonly ConfigProblem[] {
  return files
    .filter(({ source }) => !/(?:^|[\\/])local(?:-[^\\/]*)?\.\w+$/.test(source))
    .flatMap(({ source, settings }) =>
      leavesOf(settings)
        .filter(({ path, value }) => isSecret(path) && value !== null && !LAB_SECRET.test(String(value)))
        .map(({ path }) => ({
          source,
          path,
          text: `is a secret in a file that others may read; set ${variableName(path)} or ${variableName(path)}_FILE`,
        })),
    );
}
