import { readFileSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import type { Setting, SettingType } from "./catalogue.ts";
import { closest } from "./closest.ts";
import type { Environment, Layer } from "./files.ts";
import type { ConfigProblem } from "./problem.ts";
import { isTree, leavesOf, treeWith } from "./tree.ts";
import type { Path } from "./tree.ts";

const PREFIX = "MAILOVER_";

/** What Kubernetes sets for each service beside ours: MAILOVER_PORT_2525_TCP_ADDR and its like. */
const SERVICE_LINK = /_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP)(?:_(?:ADDR|PORT|PROTO))?)?)$/;

/** The variable that sets a setting: `providers.microsoft365.clientSecret` by MAILOVER_PROVIDERS_MICROSOFT365_CLIENT_SECRET. */
export function variableName(path: Path): string {
  const words = path.map((key) => key.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").replaceAll(/[^A-Za-z0-9]+/g, "_"));
  return PREFIX + words.join("_").toUpperCase();
}

/** A variable's name, and the setting it sets. `types` is empty where no schema knows the setting. */
export type VariableName = { readonly name: string; readonly path: Path; readonly types: readonly SettingType[] };

/** Names of custom-environment-variables, as node-config reads them: `path: NAME` or `path: { __name: NAME, __format: … }`. */
export function mappedNames(
  mapping: Layer,
  settings: readonly Setting[],
): { readonly names: readonly VariableName[]; readonly problems: readonly ConfigProblem[] } {
  const names: VariableName[] = [];
  const problems: ConfigProblem[] = [];
  for (const { path, value } of leavesOf(mapping.settings)) {
    const key = path.at(-1);
    if (key === "__format") continue; // The schema knows the type.
    const target = key === "__name" ? path.slice(0, -1) : path;
    if (typeof value === "string") names.push({ name: value, path: target, types: typesAt(target, settings) });
    else problems.push({ source: mapping.source, path, text: "is not the name of a variable" });
  }
  return { names, problems };
}

export function ownNames(settings: readonly Setting[]): readonly VariableName[] {
  return settings.map(({ path, types }) => ({ name: variableName(path), path, types }));
}

/**
 * The settings that variables bring, in the order of `names`. NAME holds the value, NAME_FILE the path of a file that
 * holds it, whose last line end is dropped. Unset and empty variables are no settings.
 */
export function readVariables(
  env: Environment,
  names: readonly VariableName[],
  cwd: string,
): { readonly layers: readonly Layer[]; readonly problems: readonly ConfigProblem[] } {
  const layers: Layer[] = [];
  const problems: ConfigProblem[] = [];
  const taken = new Set(names.map(({ name }) => name));
  for (const { name, path, types } of names) {
    const fileVariable = `${name}_FILE`;
    const file = taken.has(fileVariable) ? undefined : env[fileVariable];
    const text = env[name];
    if (file && text) {
      problems.push({ source: fileVariable, path, text: `is set beside ${name}: keep one of them` });
    } else if (file) {
      const read = readSecretFile(resolve(cwd, file));
      if (read.ok) layers.push({ source: fileVariable, settings: treeWith(path, coerce(read.text, types)) });
      else problems.push({ source: fileVariable, path, text: `${nameOf(file)} ${read.reason}` });
    } else if (text) {
      layers.push({ source: name, settings: treeWith(path, coerce(text, types)) });
    }
  }
  return { layers, problems };
}

/** Variables with our prefix that set nothing, each with the name it may have meant. */
export function unknownVariables(env: Environment, names: readonly VariableName[]): readonly ConfigProblem[] {
  const known = names.flatMap(({ name }) => [name, `${name}_FILE`]);
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name) && !SERVICE_LINK.test(name))
    .toSorted()
    .map((name) => {
      const meant = closest(name, known);
      const hint = meant === null ? "" : `; did you mean ${meant}?`;
      return { source: name, path: [], text: `sets nothing: no such setting, or no such provider${hint}` };
    });
}

/** Text as the type its setting has. What does not fit stays text, for the schema to refuse. */
function coerce(text: string, types: readonly SettingType[]): unknown {
  const trimmed = text.trim();
  if (types.includes("boolean") && /^(?:true|false)$/i.test(trimmed)) return trimmed.toLowerCase() === "true";
  if ((types.includes("number") || types.includes("integer")) && /^[+-]?\d+(?:\.\d+)?$/.test(trimmed))
    return Number(trimmed);
  if ((types.includes("array") || types.includes("object")) && /^[[{]/.test(trimmed)) return parseJson(text);
  if (types.includes("array") && !types.includes("string")) return trimmed.split(",").map((entry) => entry.trim());
  return text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A file in an error. What is no full path may be the secret itself, put into the wrong variable. */
function nameOf(file: string): string {
  return isAbsolute(file) || file.startsWith(".") ? file : "the file it names (not by its full path)";
}

function readSecretFile(
  path: string,
): { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string } {
  try {
    const text = readFileSync(path, "utf8").replace(/\r?\n$/, "");
    return text === "" ? { ok: false, reason: "is empty" } : { ok: true, text };
  } catch (error) {
    const code = isTree(error) ? error["code"] : undefined;
    return { ok: false, reason: code === "ENOENT" ? "is not there" : `cannot be read: ${String(code)}` };
  }
}

function typesAt(path: Path, settings: readonly Setting[]): readonly SettingType[] {
  return settings.find((setting) => setting.path.join(".") === path.join("."))?.types ?? [];
}
