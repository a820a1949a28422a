import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { providerDefinitions } from "../../../providers/index.ts";
import { renderSettings } from "../../../src/config/index.ts";
import { definitions } from "./definitions.ts";

test("docs/configuration-settings.md is up to date", () => {
  const file = join(import.meta.dirname, "../../../docs/configuration-settings.md");
  const wanted = renderSettings(providerDefinitions);
  expect(readFileSync(file, "utf8"), "docs/configuration-settings.md is out of date: npm run generate").toBe(wanted);
});

test.each([
  ["a core setting with range and meaning", "| `breaker.openAtPercent` | `50` | 1 to 100 | Failures, in percent"],
  ["a time in its units", "| `delivery.attemptTimeoutMs` | `3m` | 1s to 1h |"],
  ["words to choose from", "| `tls` | `required` | `implicit`, `required`, `none` |"],
  ["a secret", "| `password` 🔒 |  | text |"],
  ["what has no default", "| `host` | required | text | Host name or address. |"],
])("it shows %s", (_, row) => {
  expect(renderSettings(definitions)).toContain(row);
});
