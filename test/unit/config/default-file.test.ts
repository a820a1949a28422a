import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { coreSettings } from "../../../src/config/catalogue.ts";
import { checkConfig } from "../../../src/config/index.ts";
import { definitions } from "./definitions.ts";

const text = readFileSync(join(import.meta.dirname, "../../../config/default.yaml"), "utf8");
const providers = { relay: { kind: "relay", host: "smtp.example.jp" } };

test("config/default.yaml says what the schema says", () => {
  const fromFile = checkConfig({ ...parse(text), providers }, definitions);
  expect(fromFile).toMatchObject({ ok: true });
  expect(fromFile).toEqual(checkConfig({ providers }, definitions));
});

/** The file with its commented settings put in: `  # url: x` becomes `  url: x`. */
const everything: unknown = parse(text.replaceAll(/^( *)# ((?: {2})*(?:\w+):(?: |$))/gm, "$1$2"));

test.each(coreSettings().map(({ path }) => [path.join("."), path] as const))("it names %s", (_, path) => {
  const found = path.reduce<unknown>((group, key) => (group as Record<string, unknown> | undefined)?.[key], everything);
  expect(found).toBeDefined();
});
