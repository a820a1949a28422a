import { isBuiltin } from "node:module";

import { HOMES, LAYERS, SEEN_BY } from "./layers.ts";
import { importsOf, packageOf } from "./source.ts";
import type { Import, SourceFile } from "./source.ts";

/** The folder, or the file beside folders, that a path belongs to in LAYERS. */
export function layerOf(path: string): string {
  if (Object.hasOwn(LAYERS, path)) return path;
  const [top = "", folder = "", ...rest] = path.split("/");
  if (rest.length > 0) return `${top}/${folder}`;
  return top === "providers" ? "providers" : path;
}

/** Imports that point the wrong way. */
export function layerViolations(files: readonly SourceFile[]): string[] {
  const places = new Set(files.map((file) => layerOf(file.path)).filter((layer) => !Object.hasOwn(LAYERS, layer)));
  const unplaced = [...places].map((layer) => `${layer}: has no place in test/architecture/layers.ts`);
  return [...unplaced, ...files.flatMap(importsOf).flatMap((found) => layerViolation(found) ?? [])];
}

function layerViolation({ file, target, relative }: Import): string | null {
  const from = layerOf(file);
  const layer = LAYERS[from];
  if (layer === undefined) return null;
  if (!relative) {
    return layer.nothingOfNode ? `${file}: imports ${target}; ${from} imports nothing but itself` : null;
  }
  const to = layerOf(target);
  if (from === to) return null;
  const seenBy = SEEN_BY[to];
  if (seenBy !== undefined) {
    return seenBy.includes(from) ? null : `${file}: imports ${target}; ${to} is for ${seenBy.join(", ") || "nobody"}`;
  }
  if (layer.may === "everything" || layer.may.some((allowed) => covers(allowed, to))) return null;
  return `${file}: imports ${target}; ${from} may import ${layer.may.join(", ") || "nothing but itself"}`;
}

function covers(allowed: string, layer: string): boolean {
  return allowed.endsWith("/*") ? layer.startsWith(allowed.slice(0, -1)) : allowed === layer;
}

/** Folders that import each other, each circle once. */
export function cycleViolations(files: readonly SourceFile[]): string[] {
  const edges = new Map<string, Set<string>>();
  for (const { file, target, relative } of files.flatMap(importsOf)) {
    if (!relative || layerOf(file) === layerOf(target)) continue;
    const targets = edges.get(layerOf(file)) ?? new Set();
    edges.set(layerOf(file), targets.add(layerOf(target)));
  }
  const circles = [...edges.keys()].flatMap((start) => circlesFrom(start, [start], edges));
  return [...new Set(circles)].map((circle) => `${circle}: folders import each other in a circle`);
}

/** Circles that come back to `start`, told from their alphabetically first folder so that each has one name. */
function circlesFrom(
  start: string,
  path: readonly string[],
  edges: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  return [...(edges.get(path.at(-1) ?? start) ?? [])].flatMap((next) => {
    if (next === start) return [[...path, start].join(" -> ")];
    return next < start || path.includes(next) ? [] : circlesFrom(start, [...path, next], edges);
  });
}

type Manifest = { readonly dependencies?: Readonly<Record<string, string>> };

/** Packages imported outside their home, or undeclared, or declared and of no use. */
export function libraryViolations(files: readonly SourceFile[], manifest: Manifest): string[] {
  const declared = Object.keys(manifest.dependencies ?? {});
  const used = files
    .flatMap(importsOf)
    .filter(({ target, relative }) => !relative && !isBuiltin(target))
    .map(({ file, target }) => ({ file, name: packageOf(target) }));
  const misplaced = used.flatMap(({ file, name }) => {
    if (!declared.includes(name)) return [`${file}: imports ${name}, which package.json does not list as a dependency`];
    const homes = HOMES[name] ?? [];
    if (homes.some((home) => file === home || file.startsWith(`${home}/`))) return [];
    return [`${file}: imports ${name}, whose home is ${homes.join(", ") || "missing in test/architecture/layers.ts"}`];
  });
  const names = new Set(used.map(({ name }) => name));
  const idle = declared.filter((name) => !names.has(name)).map((name) => `package.json: ${name} is imported nowhere`);
  return [...misplaced, ...idle];
}

const MAXIMUM_LINES = 300;

/** What a reader would stumble over, file by file. */
export function hygieneViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const lineCount = text.trimEnd().split("\n").length;
    const mayPrint = path.startsWith("src/cli/");
    return [
      ...(lineCount > MAXIMUM_LINES ? [`${path}: has ${lineCount} lines, over ${MAXIMUM_LINES}; split it`] : []),
      ...(/^[a-z0-9/-]+\.ts$/.test(path) ? [] : [`${path}: is not named in kebab-case, ending in .ts`]),
      ...(!mayPrint && /\bconsole\.\w/.test(text) ? [`${path}: prints by console; only src/cli/ may`] : []),
      ...(/\b(TODO|FIXME|XXX)\b/.test(text) ? [`${path}: has a note to self; do it or leave it`] : []),
    ];
  });
}
