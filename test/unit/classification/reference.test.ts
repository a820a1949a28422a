import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { providerDefinitions } from "../../../providers/index.ts";
import { CAUSES } from "../../../src/core/index.ts";
import { renderCauses, renderReplies } from "../../../src/operations/reference.ts";

const docs = join(import.meta.dirname, "../../../docs");

describe("the generated pages", () => {
  test.each([
    ["provider-replies.md", () => renderReplies(providerDefinitions)],
    ["causes.md", () => renderCauses()],
  ])("docs/%s is what the code says", (file, render) => {
    const written = readFileSync(join(docs, file), "utf8");
    const state = written === render() ? "up to date" : `docs/${file} is out of date: npm run generate`;
    expect(state).toBe("up to date");
  });
});

describe("the tables", () => {
  const replies = renderReplies(providerDefinitions);
  const rowsOf = (page: string) => page.split("\n").filter((line) => line.startsWith("| `"));

  test("hold every rule of every kind once", () => {
    const ids = new Set(providerDefinitions.flatMap(({ rules }) => rules.map(({ id }) => id)));
    const named = rowsOf(replies).map((row) => /^\| `([^`]+)`/.exec(row)?.[1]);
    expect(named.toSorted()).toEqual([...ids].toSorted());
  });

  test("have as many cells in each row as in their header", () => {
    const broken = (page: string, cellCount: number) =>
      rowsOf(page).filter((row) => row.split(/(?<!\\)\|/).length !== cellCount + 2);
    expect(broken(replies, 6)).toEqual([]);
    expect(broken(renderCauses(), 8)).toEqual([]);
  });

  test("hold every cause", () => {
    expect(rowsOf(renderCauses())).toHaveLength(Object.keys(CAUSES).length);
  });

  test("show a rule by what it asks for, what follows and for how long", () => {
    const [definition] = [
      {
        kind: "pigeon",
        rules: [
          {
            id: "wing-tired",
            when: { stage: "rcpt", replyCode: [450, 451], text: /tired|asleep/i },
            cause: "busy",
            scope: "recipient",
            retryAfterMs: 3_600_000,
            meaning: "the pigeon is tired",
            remedy: "Feed | water it",
            source: "RFC 1149",
          },
        ],
      } as const,
    ];
    expect(renderReplies([definition])).toContain(
      "| `wing-tired` | 450, 451 `/tired\\|asleep/i` at rcpt | `busy`, this recipient only, wait 1 h | the pigeon is tired | Feed \\| water it | RFC 1149 |",
    );
  });
});

test("ids are unique within each kind, also with the rows of its own checks", () => {
  const repeated = providerDefinitions.flatMap(({ kind, rules }) => {
    const ids = rules.map(({ id }) => id);
    return ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${kind}/${id}`);
  });
  expect(repeated).toEqual([]);
});
