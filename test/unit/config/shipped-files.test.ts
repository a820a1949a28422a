import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { providerDefinitions } from "../../../providers/index.ts";
import { formatProblem, loadConfig } from "../../../src/config/index.ts";
import type { LoadResult } from "../../../src/config/index.ts";
import { project } from "./project.ts";

const folder = join(import.meta.dirname, "../../../config");

/** The files of config/, without a developer's own local.yaml, with the kinds of providers there are. */
function deploy(deployment: string, env: Readonly<Record<string, string>> = {}): LoadResult {
  const names = readdirSync(folder).filter((name) => !name.startsWith("local"));
  const cwd = project(
    Object.fromEntries(names.map((name) => [`config/${name}`, readFileSync(join(folder, name), "utf8")])),
  );
  return loadConfig({ env: { ...env, NODE_ENV: deployment }, cwd, definitions: providerDefinitions });
}

function orderOf(result: LoadResult): readonly string[] {
  if (!result.ok) throw new Error(result.errors.map(formatProblem).join("\n"));
  const byPriority = Object.entries(result.config.providers).toSorted(([, a], [, b]) => a.priority - b.priority);
  return byPriority.map(([name]) => name);
}

/** What an operator has to bring, by the names in .env.example. */
const brought = {
  MICROSOFT365_TENANT_ID: "contoso.example",
  MICROSOFT365_CLIENT_ID: "00000000-0000-4000-8000-000000000002",
  MICROSOFT365_MAILBOX: "noreply@contoso.example",
  MICROSOFT365_CLIENT_SECRET: "s3cr3t",
  SENDGRID_API_KEY: "SG.s3cr3t",
  SMTP_HOST: "smtp.example.jp",
};

describe("what works as it is", () => {
  test("development: the lab's stand-ins, without a warning", () => {
    const result = deploy("development");
    expect(orderOf(result)).toEqual(["microsoft365", "sendgrid", "relay"]);
    expect(result.warnings).toEqual([]);
  });

  test("test: a relay on this machine", () => {
    expect(orderOf(deploy("test"))).toEqual(["relay"]);
  });
});

describe("what the operator fills in", () => {
  const missing = [
    "providers.microsoft365.tenantId: is missing; write it into this file or set MICROSOFT365_TENANT_ID",
    "providers.microsoft365.clientId: is missing; write it into this file or set MICROSOFT365_CLIENT_ID",
    "providers.microsoft365.mailbox: is missing; write it into this file or set MICROSOFT365_MAILBOX",
    "providers.sendgrid.apiKey: is missing; set SENDGRID_API_KEY, or SENDGRID_API_KEY_FILE to the path of a file that holds it",
    "providers.relay.host: is missing; write it into this file or set SMTP_HOST",
  ];

  test.each(["staging", "production"])("%s says what is missing", (deployment) => {
    const result = deploy(deployment);
    const errors = result.ok ? [] : result.errors.map(formatProblem);
    expect(errors.toSorted()).toEqual(missing.map((text) => `config/${deployment}.yaml: ${text}`).toSorted());
  });

  test("production: Microsoft 365, then SendGrid, then the relay", () => {
    const result = deploy("production", brought);
    expect(orderOf(result)).toEqual(["microsoft365", "sendgrid", "relay"]);
    expect(result.warnings).toEqual([]);
  });

  test("staging: in another order", () => {
    expect(orderOf(deploy("staging", brought))).toEqual(["sendgrid", "microsoft365", "relay"]);
  });
});
