import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatProblems, loadConfig } from "../../../src/config/index.ts";
import { definitions } from "./definitions.ts";

/** A folder each: `config/`, perhaps `variables` (NAME=value lines), and `expected-error`, the whole text. */
const folder = join(import.meta.dirname, "../../bad-config");
const cases = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

function variablesOf(cwd: string): Record<string, string> {
  const file = join(cwd, "variables");
  const lines = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  const pairs = lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)] as const);
  return { NODE_ENV: "production", ...Object.fromEntries(pairs) };
}

test.each(cases)("%s fails for that reason", (name) => {
  const cwd = join(folder, name);
  const result = loadConfig({ env: variablesOf(cwd), cwd, definitions });
  const text = result.ok ? "nothing was found wrong" : `${formatProblems(result.errors)}\n`;
  expect(text).toBe(readFileSync(join(cwd, "expected-error"), "utf8"));
});

test("no error shows a secret", () => {
  const texts = cases.map((name) => readFileSync(join(folder, name, "expected-error"), "utf8"));
  expect(texts.filter((text) => text.includes("pA55"))).toEqual([]);
});

test("there are enough of them", () => {
  expect(cases.length).toBeGreaterThanOrEqual(14);
});
