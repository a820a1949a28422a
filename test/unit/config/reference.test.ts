import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { microsoft365 } from "../../../providers/microsoft365/index.ts";
import { sendgrid } from "../../../providers/sendgrid/index.ts";
import { smtp } from "../../../providers/smtp/index.ts";
import { renderSettings } from "../../../src/config/index.ts";
import { definitions } from "./definitions.ts";

test("docs/configuration-settings.md is up to date", () => {
  const file = join(import.meta.dirname, "../../../docs/configuration-settings.md");
  const wanted = renderSettings([microsoft365, sendgrid, smtp]);
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
