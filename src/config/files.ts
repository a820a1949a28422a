import { existsSync, statSync } from "node:fs";
import { basename, delimiter, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { Load, Util } from "config/lib/util.js";
import type { ConfigSource, LoadOptions } from "config/lib/util.js";
import { LineCounter, parseDocument } from "yaml";
import type { ConfigProblem } from "./problem.ts";
import { isTree } from "./tree.ts";
import type { Tree } from "./tree.ts";

/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One file or variable and the settings it brings. Later ones lie over earlier ones. */
export type Layer = { readonly source: string; readonly settings: Tree };

export type LoadedFiles = {
  /** The defaults that come with the package; empty where someone took them away, as a mounted folder may. */
  readonly defaults: Layer;
  /** The files of the configuration folders, in order. */
  readonly layers: readonly Layer[];
  /** Of custom-environment-variables: names of variables in the place of values. */
  readonly mappings: readonly Layer[];
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
  /** The file that settings of this deployment belong into, whether or not it is there. */
  readonly deploymentFile: string;
};

const EXTENSIONS = ["json", "yaml", "yml"];

/** A path as people know it: from the working directory where it lies in it, else in full. */
export function label(path: string, cwd: string): string {
  const below = relative(cwd, path);
  return below.startsWith("..") || isAbsolute(below) ? path : below || ".";
}

/**
 * Reads the configuration files in the order of node-config 5, whose `Load` finds, sorts and reads them. Unlike the
 * library's singleton it touches no global, prints nothing and takes the environment as it is given.
 */
export function loadFiles(env: Environment, cwd: string, packageFile: string): LoadedFiles {
  const problems = new Map<string, ConfigProblem[]>();
  const deployments = (env["NODE_CONFIG_ENV"] || env["NODE_ENV"] || "development").split(",");
  const folders = (env["NODE_CONFIG_DIR"] || "config").split(delimiter).map((folder) => resolve(cwd, folder));
  const parser = {
    getFilesOrder: () => EXTENSIONS,
    parse: (file: string, text: string) => {
      const parsed = parseFile(label(file, cwd), text);
      problems.set(file, [...parsed.problems]);
      return parsed.settings;
    },
  };
  const load = new Load({
    configDir: folders.join(delimiter),
    nodeEnv: deployments,
    hostName: "",
    appInstance: env["NODE_APP_INSTANCE"],
    // The library's types name its module of parsers here; these two functions are what it calls.
    parser: parser as unknown as NonNullable<LoadOptions["parser"]>,
  });
  const read = (file: string, action: () => void) => {
    try {
      action();
    } catch (error) {
      problems.set(file, [{ source: label(file, cwd), path: [], text: `cannot be read: ${reasonOf(error)}` }]);
    }
  };
  const toLayer = ({ name, parsed }: ConfigSource): Layer => ({ source: label(name, cwd), settings: parsed as Tree });
  read(packageFile, () => load.loadFile(packageFile));
  const defaults = load.getSources().map(toLayer);
  read(folders.join(delimiter), () => Util.loadFileConfigs(load));
  const layers = load.getSources().slice(defaults.length).map(toLayer);
  const allowed = Object.fromEntries(
    EXTENSIONS.map((extension, index) => [`custom-environment-variables.${extension}`, index + 1]),
  );
  // The package's own names of variables hold for every deployment, also for one that mounts nothing but its own files.
  const packageMapping = join(dirname(packageFile), "custom-environment-variables.yaml");
  const ownMappings = Util.locateMatchingFiles(folders.join(delimiter), allowed).filter(
    (file) => file !== packageMapping,
  );
  const mappings = [...(existsSync(packageMapping) ? [packageMapping] : []), ...ownMappings].map((file) => {
    let settings: Tree = {};
    read(file, () => {
      settings = (load.loadFile(file) as Tree | null) ?? {};
    });
    return { source: label(file, cwd), settings };
  });
  return {
    defaults: defaults[0] ?? { source: label(packageFile, cwd), settings: {} },
    layers,
    mappings,
    problems: [...folderProblems(env, folders, deployments, cwd), ...[...problems.values()].flat()],
    warnings: deploymentWarnings(
      env,
      deployments,
      layers,
      folders.map((folder) => label(folder, cwd)),
    ),
    deploymentFile: label(join(folders.at(-1) ?? cwd, `${deployments.at(-1)}.yaml`), cwd),
  };
}

/** The settings of one YAML file. JSON is read the same way, being YAML. No problem quotes the file: it may be a secret. */
function parseFile(
  source: string,
  text: string,
): { readonly settings: Tree; readonly problems: readonly ConfigProblem[] } {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const problems = document.errors.map((error): ConfigProblem => {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    return { source: `${source}:${line}:${col}`, path: [], text: `is no valid YAML: ${error.message.split(": ")[0]}` };
  });
  if (problems.length > 0) return { settings: {}, problems };
  try {
    const settings: unknown = document.toJS();
    if (settings === null) return { settings: {}, problems: [] };
    if (isTree(settings)) return { settings: withoutEmptyGroups(settings), problems: [] };
    return { settings: {}, problems: [{ source, path: [], text: "is not a group of settings: write name: value" }] };
  } catch {
    const rule = "is no valid YAML: an alias (*name) without its anchor; quote a value that begins with * or &";
    return { settings: {}, problems: [{ source, path: [], text: rule }] };
  }
}

/** `breaker:` with nothing but comments below it says nothing; it does not take the whole group out. */
function withoutEmptyGroups(settings: Tree): Tree {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null));
}

function folderProblems(
  env: Environment,
  folders: readonly string[],
  deployments: readonly string[],
  cwd: string,
): ConfigProblem[] {
  const missing = env["NODE_CONFIG_DIR"] ? folders.filter((folder) => !isFolder(folder)) : [];
  const reserved = deployments.filter((deployment) => deployment === "default" || deployment === "local");
  return [
    ...missing.map((folder) => ({
      source: "NODE_CONFIG_DIR",
      path: [],
      text: `${label(folder, cwd)} is not a folder`,
    })),
    ...reserved.map((name) => ({
      source: env["NODE_CONFIG_ENV"] ? "NODE_CONFIG_ENV" : "NODE_ENV",
      path: [],
      text: `"${name}" is not a deployment: the file of this name is always read`,
    })),
  ];
}

/** A deployment that was asked for and has no file: a mistyped name, most likely. */
function deploymentWarnings(
  env: Environment,
  deployments: readonly string[],
  layers: readonly Layer[],
  folders: readonly string[],
): ConfigProblem[] {
  const source = ["NODE_CONFIG_ENV", "NODE_ENV"].find((name) => env[name]);
  if (source === undefined) return [];
  const found = new Set(layers.map((layer) => basename(layer.source).replace(/\.\w+$/, "")));
  return deployments
    .filter((deployment) => !found.has(deployment))
    .map((name) => ({
      source,
      path: [],
      text: `"${name}" has no file: ${name}.yaml is not in ${folders.join(" or ")}`,
    }));
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** The system's own code of an error, such as EACCES, which names no content; the library puts it in its message. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return /Error code is: (\w+)/.exec(text)?.[1] ?? text;
}
