import { describe, expect, test } from "vitest";
import { anchorsOf, codeOf, isThere, linksOf, pages, read } from "./pages.ts";

describe.each(pages.map((page) => [page.path, page] as const))("%s", (path, page) => {
  test("links to what is there", () => {
    const broken = linksOf(page).filter(
      ({ target, anchor }) => !isThere(target) || (anchor !== null && !anchorsOf(read(target)).includes(anchor)),
    );
    expect(broken).toEqual([]);
  });

  test("names files that are there", () => {
    const named = codeOf(page).flatMap((code) => code.match(/^(?:src|providers|test|examples|bench)\/[\w./-]+$/) ?? []);
    expect(named.filter((file) => !isThere(file))).toEqual([]);
  });

  test.runIf(path.startsWith("docs/") && path !== "docs/README.md")("is linked from another page", () => {
    const from = pages.filter((other) => other.path !== path && linksOf(other).some(({ target }) => target === path));
    expect(from.map((other) => other.path)).not.toEqual([]);
  });
});
