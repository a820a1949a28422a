import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

export const root = join(import.meta.dirname, "../../..");

/** A page of the documentation, by its path from the root of the repository. */
export type Page = { readonly path: string; readonly text: string };

export const read = (path: string): string => readFileSync(join(root, path), "utf8");

const below = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}/${name}`);

/** All pages that people read. */
export const pages: readonly Page[] = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "src/lab/README.md",
  ...below("docs"),
  ...below("providers"),
].map((path) => ({ path, text: read(path) }));

/** Text without its code, where brackets and paths are no links. */
const withoutCode = (text: string): string => text.replace(/^ *```[^]*?^ *```/gm, "").replace(/`[^`\n]*`/g, "");

/** The relative links of a page: the path from the root, and the anchor where there is one. */
export function linksOf({ path, text }: Page): { readonly target: string; readonly anchor: string | null }[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? "")
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [file = "", anchor = null] = link.split("#");
      return { target: file === "" ? path : normalize(join(dirname(path), file)), anchor };
    });
}

/** Anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? "")
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

export const isThere = (path: string): boolean => existsSync(join(root, path));

/** Code of a page: what stands in backticks, and each line of its blocks. */
export function codeOf({ text }: Page): string[] {
  const blocks = [...text.matchAll(/^ *```[^\n]*\n([^]*?)^ *```/gm)].flatMap((match) => (match[1] ?? "").split("\n"));
  const spans = [...text.replace(/^ *```[^]*?^ *```/gm, "").matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? "");
  return [...blocks, ...spans];
}

/** The blocks of one language in a page. */
export function blocksOf(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "gm"))].map((match) => match[1] ?? "");
}
