import { readdirSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { providerDefinitions } from "../../../providers/index.ts";
import { formatProblem, loadConfig } from "../../../src/config/index.ts";
import { defaultLimits, parseSubmission } from "../../../src/message/index.ts";
import { freshPriority } from "../../../src/queue/priority.ts";
import { project } from "../config/project.ts";
import { blocksOf, read, root } from "./pages.ts";

const validate = new Ajv2020({ allowUnionTypes: true, formats: { "date-time": true } }).compile(
  JSON.parse(read("schema/message.schema.json")),
);

/** Python's and PHP's literals of these examples, as JavaScript. */
const literals: Record<string, (source: string) => string> = {
  ts: (source) => /(?:send\(|"message",\s*)(\{[^]*?\n {2}?\}|\{[^]*?\n\})[,)]/.exec(source)?.[1] ?? "",
  py: (source) => /message = (\{[^]*?\n {4}\})/.exec(source)?.[1] ?? "",
  php: (source) =>
    (/\$message = (\[[^]*?\n\]);/.exec(source)?.[1] ?? "")
      .replaceAll("=>", ":")
      .replaceAll("[", "{")
      .replaceAll("]", "}"),
};

const pushing = readdirSync(join(root, "examples")).filter((name) => name.startsWith("push"));

/** The message that an example pushes, as it lies in Redis. */
function messageOf(name: string): { readonly class?: "otp" | "transactional" | "bulk" } {
  const literal = literals[name.split(".")[1] ?? ""]?.(read(`examples/${name}`)) ?? "";
  return JSON.parse(JSON.stringify(runInNewContext(`(${literal})`)));
}

test("there are examples for each language", () => {
  expect(pushing.toSorted()).toEqual(["push-bullmq.ts", "push.php", "push.py", "push.ts"]);
});

describe.each(pushing)("examples/%s", (name) => {
  test("pushes what the schema and the parser take", () => {
    const message = messageOf(name);
    validate(message);
    expect(validate.errors).toBeNull();
    expect(parseSubmission(message, defaultLimits)).toMatchObject({ ok: true });
  });

  // Mailover's own client sets it by itself.
  test.skipIf(name === "push.ts")("pushes with the priority of its class", () => {
    const priority = /['"]?priority['"]?(?::| =>) (\d+)/.exec(read(`examples/${name}`))?.[1];
    expect(Number(priority)).toBe(freshPriority(messageOf(name).class ?? "transactional"));
  });
});

describe("the blocks of README.md", () => {
  const readme = read("README.md");
  const sources = pushing.map((name) => read(`examples/${name}`));
  const blocks = ["ts", "python", "php"].flatMap((language) => blocksOf(readme, language));

  test("are there", () => {
    expect(blocks).toHaveLength(4);
  });

  test.each(blocks)("stand in an example that can be run: %s", (block) => {
    expect(sources.some((source) => source.includes(block.trimEnd()))).toBe(true);
  });

  test("say each class's priority", () => {
    for (const name of ["otp", "transactional", "bulk"] as const) {
      expect(readme).toContain(`${freshPriority(name)} for \`${name}\``);
    }
  });
});

test("examples/config/production.yaml works once the secrets are there", () => {
  const cwd = project({
    "config/production.yaml": read("examples/config/production.yaml"),
    "config/custom-environment-variables.yaml": read("config/custom-environment-variables.yaml"),
  });
  const env = {
    NODE_ENV: "production",
    MICROSOFT365_CLIENT_SECRET: "s3cr3t",
    SENDGRID_API_KEY: "SG.s3cr3t",
    SMTP_PASSWORD: "s3cr3t",
  };
  const result = loadConfig({ env, cwd, definitions: providerDefinitions });
  expect(result.ok ? [] : result.errors.map(formatProblem)).toEqual([]);
  expect(result.warnings).toEqual([]);
});
