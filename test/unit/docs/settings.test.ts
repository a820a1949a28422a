import { describe, expect, test } from "vitest";
import { codeOf, pages, read } from "./pages.ts";

const generated = "docs/configuration-settings.md";

/** Every setting by its path, as the generated page has them: `breaker.openMs`, and of a kind of provider `dkim.domainName`. */
const settings = new Set([...read(generated).matchAll(/^\| `([\w.-]+)`/gm)].map((match) => match[1] ?? ""));
const groups = new Set([...settings].filter((path) => path.includes(".")).map((path) => path.split(".")[0]));

/** Whether it is a setting, or a group of settings. */
function isKnown(path: string): boolean {
  return settings.has(path) || [...settings].some((known) => known.startsWith(`${path}.`));
}

const named = pages
  .filter(({ path }) => path !== generated)
  .flatMap((page) =>
    codeOf(page)
      .filter((code) => /^[a-z][\w]*(?:\.[a-z][\w]*)+$/.test(code) && groups.has(code.split(".")[0]))
      // Events and files look alike; an event is past tense and stands in the log's own list.
      .filter((code) => !/\.(?:ts|md|yaml|ics)$/.test(code) && !read("src/core/event.ts").includes(`"${code}"`))
      .map((code) => [page.path, code] as const),
  );

test("settings are found in the pages", () => {
  expect(settings.size).toBeGreaterThan(50);
  expect(named.length).toBeGreaterThan(20);
});

describe("every setting that a page names exists", () => {
  test.each(named)("%s: %s", (_path, setting) => {
    expect(isKnown(setting)).toBe(true);
  });
});
