import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TRANSITIONS } from "../../../src/ledger/states.ts";
import { renderStates } from "../../../src/operations/states-reference.ts";

test("the table in docs/states.md is what the code says", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/states.md"), "utf8");
  const table = /<!-- states: [^\n]*-->\n([^]*?)\n?<!-- \/states -->/.exec(page)?.[1];
  expect(table, "docs/states.md is out of date: npm run generate").toBe(renderStates().trimEnd());
});

test("it has a row for each way, and one for its header and one for the line below", () => {
  expect(renderStates().trimEnd().split("\n")).toHaveLength(TRANSITIONS.length + 2);
  expect(renderStates()).toContain("| (no record) | `relaying` | worker |");
});
