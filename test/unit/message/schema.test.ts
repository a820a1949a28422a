import { readFileSync } from "node:fs";

import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";

import { renderHeaderPolicies, renderMessageFields, renderMessageSchema } from "../../../src/message/index.ts";
import { messageSchema } from "../../../src/message/schema.ts";
import { minimal, refusal } from "./fixture.ts";

const root = new URL("../../../", import.meta.url);
const docs = readFileSync(new URL("docs/message.md", root), "utf8");
const validate = new Ajv2020({ allowUnionTypes: true, formats: { "date-time": true } }).compile(
  JSON.parse(renderMessageSchema()),
);
const regenerate = "it is not what the code says: npm run generate";

/** What stands between two markers in the page. */
function section(name: string): string {
  const match = new RegExp(`<!-- ${name}: [^\n]*-->\n([^]*?)\n?<!-- /${name} -->`).exec(docs);
  return match?.[1] ?? "no such section";
}

test("schema/message.schema.json is the schema's own", () => {
  const published = readFileSync(new URL("schema/message.schema.json", root), "utf8");
  expect(published === renderMessageSchema(), `schema/message.schema.json: ${regenerate}`).toBe(true);
});

test("docs/message.md has the table of fields and that of headers", () => {
  expect(section("fields"), `docs/message.md: ${regenerate}`).toBe(renderMessageFields());
  expect(section("headers"), `docs/message.md: ${regenerate}`).toBe(renderHeaderPolicies());
});

test("every field is described", () => {
  const undescribed = Object.entries(messageSchema.shape).filter(
    ([, { description = "" }]) => !description.endsWith("."),
  );
  expect(undescribed.map(([name]) => name)).toEqual([]);
});

describe("the examples of docs/message.md", () => {
  const examples = [...docs.matchAll(/```json\n([^]*?)```/g)].map((match) => match[1]!);

  test("are there", () => {
    expect(examples.length).toBeGreaterThanOrEqual(5);
  });

  test.each(examples)("pass the schema and the parser: %s", (example) => {
    const data: unknown = JSON.parse(example);
    expect(refusal(data)).toBeNull();
    validate(data);
    expect(validate.errors).toBeNull();
  });
});

describe("the published schema refuses, as the parser does,", () => {
  test.each([
    ["an unknown field", { ...minimal, txt: "" }],
    ["a number as text", { ...minimal, text: 5 }],
    ["no content", { from: "a@x.jp", to: "b@x.jp" }],
    ["no author", { to: "b@x.jp", text: "" }],
    ["raw without an envelope", { raw: "From: a@x.jp\r\n\r\n" }],
    ["an unknown class", { ...minimal, class: "urgent" }],
    ["eleven tags", { ...minimal, tags: Array.from({ length: 11 }, String) }],
    ["an unknown field of an attachment", { ...minimal, attachments: [{ content: "", raw: "" }] }],
    ["an instant in seconds", { ...minimal, sendAt: 1_796_083_200 }],
  ])("%s", (_, data) => {
    expect(validate(data)).toBe(false);
    expect(refusal(data)).not.toBeNull();
  });
});
