import { readdirSync, readFileSync } from "node:fs";
import { join, posix, sep } from "node:path";

/** A file of the tree, by its path from the root with forward slashes. */
export type SourceFile = { readonly path: string; readonly text: string };

/** What a file imports: `target` is a path of the tree, or a package or built-in as it is named. */
export type Import = { readonly file: string; readonly target: string; readonly relative: boolean };

export function readTree(root: string, folders: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.[cm]?[jt]sx?$/.test(name))
      .map((name) => posix.join(folder, name.split(sep).join("/")))
      .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") })),
  );
}

const IMPORT_FORMS: readonly RegExp[] = [
  // import … from "x", export … from "x", also over several lines
  /^\s*(?:import|export)\s[^"';]*?\bfrom\s*["']([^"']+)["']/gm,
  /^\s*import\s*["']([^"']+)["']/gm,
  // import("x"), also as a type; require("x"); import.meta.resolve("x")
  /\bimport\(\s*["']([^"']+)["']/g,
  /\brequire(?:\.resolve)?\(\s*["']([^"']+)["']/g,
  /\bimport\.meta\.resolve\(\s*["']([^"']+)["']/g,
];

export function importsOf(file: SourceFile): Import[] {
  const code = withoutComments(file.text);
  const targets = IMPORT_FORMS.flatMap((form) => [...code.matchAll(form)].map((match) => match[1] ?? ""));
  return targets.map((target) => {
    const relative = target.startsWith(".");
    const path = posix.join(posix.dirname(file.path), target);
    return { file: file.path, target: relative ? path : target, relative };
  });
}

/** "@scope/name/lib/x.js" to "@scope/name". */
export function packageOf(target: string): string {
  return target
    .split("/")
    .slice(0, target.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Whole lines only: a comment behind code, or "//" in a string, holds no import of its own. */
function withoutComments(text: string): string {
  return text.replace(/^\s*\/\*[\s\S]*?\*\//gm, "").replace(/^\s*\/\/.*$/gm, "");
}
