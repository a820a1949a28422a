import { expect, test } from "vitest";
import { microsoft365 } from "../../../providers/microsoft365/index.ts";
import type { Settings } from "../../../providers/microsoft365/settings.ts";
import { checkConfig, formatProblems, loadConfig, printConfig } from "../../../src/config/index.ts";
import { messageFrom } from "../providers/microsoft365/message.ts";
import { definitions } from "./definitions.ts";
import { loaded, project } from "./project.ts";

const files = {
  "config/production.yaml":
    "providers: { many: { kind: relay, hosts: [one.jp, two.jp], priority: 7, password: pA55word } }\n",
};
const env = { NODE_ENV: "production" };

test("each entry makes a provider of its own, with the other settings in common", () => {
  const { config } = loaded(files, env);
  expect(config.providers).toMatchObject({
    "many-1": { kind: "relay", host: "one.jp", priority: 7, weight: 1, port: 587 },
    "many-2": { kind: "relay", host: "two.jp", priority: 7, weight: 1, port: 587 },
  });
  expect(Object.keys(config.providers)).toEqual(["many-1", "many-2"]);
  expect(config.pools).toEqual({ many: ["many-1", "many-2"] });
});

test("what came of it is shown, with where it was written, and no secret", () => {
  const { config, sources, isSecret } = loaded(files, { ...env, MAILOVER_PROVIDERS_MANY_PORT: "25" });
  const shown = JSON.parse(printConfig(config, sources, { format: "json", isSecret }));
  expect(shown).toMatchObject({
    "providers.many-2.host": { value: "two.jp", source: "config/production.yaml" },
    "providers.many-2.port": { value: 25, source: "MAILOVER_PROVIDERS_MANY_PORT" },
    "providers.many-2.tls": { value: "required", source: "default" },
    "providers.many-2.password": { value: "‹hidden›", source: "config/production.yaml" },
  });
  expect(Object.keys(shown).filter((setting) => setting.startsWith("pools"))).toEqual([]);
});

test("a secret is hidden that only the list of its kind knows for one", () => {
  const secretive = definitions.map((definition) => ({ ...definition, secrets: ["host"] }));
  const result = loadConfig({ env, cwd: project(files), definitions: secretive });
  const shown = result.ok
    ? printConfig(result.config, result.sources, { format: "text", isSecret: result.isSecret })
    : "";
  expect(shown).toMatch(/^providers\.many-2\.host +‹hidden› /m);
  expect(shown).not.toContain("two.jp");
});

test("a variable brings the list", () => {
  const { config, warnings } = loaded(
    { "config/production.yaml": "providers: { many: { kind: relay } }\n" },
    { ...env, MAILOVER_PROVIDERS_MANY_HOSTS: "one.jp, two.jp" },
  );
  expect(config.providers["many-2"]).toMatchObject({ host: "two.jp" });
  expect(warnings).toEqual([]);
});

const tenant = {
  kind: "microsoft365",
  tenantId: "contoso.com",
  clientId: "00000000-0000-4000-8000-000000000002",
  clientSecret: "s3cr3t",
};

test("mailboxes of Microsoft 365 have the limits of a mailbox each", () => {
  const settings = { ...tenant, mailboxes: ["a@contoso.com", "b@contoso.com"] };
  const checked = checkConfig({ providers: { microsoft365: settings } }, [microsoft365]);
  expect(checked).toMatchObject({
    ok: true,
    config: {
      providers: {
        "microsoft365-1": { mailbox: "a@contoso.com", limits: { perMinute: 30, connections: 3 } },
        "microsoft365-2": { mailbox: "b@contoso.com", limits: { perMinute: 30, connections: 3 } },
      },
    },
  });
});

test("each mailbox takes what it may send as itself, and all of them what they may all send as", () => {
  const settings = { ...tenant, mailboxes: ["a@contoso.com", "b@contoso.com"], sendAs: ["app@contoso.com"] };
  const checked = checkConfig({ providers: { microsoft365: settings } }, [microsoft365]);
  if (!checked.ok) throw new Error(checked.findings.map(({ text }) => text).join());
  const context = { clock: Date.now, notice: () => undefined };
  const takers = (from: string): string[] =>
    Object.entries(checked.config.providers)
      .map(([name, entry]) => microsoft365.create(name, entry as Settings, context))
      .filter((provider) => provider.declines(messageFrom(from)) === null)
      .map(({ name }) => name);
  expect(takers("app@contoso.com")).toEqual(["microsoft365-1", "microsoft365-2"]);
  expect(takers("b@contoso.com")).toEqual(["microsoft365-2"]);
  expect(takers("other@contoso.com")).toEqual([]);
});

test("a From that one of the mailboxes may not send as is told by that mailbox, where it was written", () => {
  const yaml =
    "providers: { microsoft365: { kind: microsoft365, tenantId: contoso.com, from: { '*': a@contoso.com }, " +
    "clientId: 00000000-0000-4000-8000-000000000002, mailboxes: [a@contoso.com, b@contoso.com] } }\n";
  const result = loadConfig({
    env: { ...env, MAILOVER_PROVIDERS_MICROSOFT365_CLIENT_SECRET: "s3cr3t" },
    cwd: project({ "config/production.yaml": yaml }),
    definitions: [microsoft365],
  });
  expect(result.ok ? "" : formatProblems(result.errors)).toBe(
    'config/production.yaml: providers.microsoft365.from["*"]: a@contoso.com is not the mailbox b@contoso.com nor in its sendAs list',
  );
});

test("more mailboxes than a worker can care for are refused", () => {
  const mailboxes = Array.from({ length: 101 }, (_, index) => `m${index}@contoso.com`);
  expect(checkConfig({ providers: { microsoft365: { ...tenant, mailboxes } } }, [microsoft365])).toMatchObject({
    ok: false,
    findings: [{ path: ["providers", "microsoft365", "mailboxes"], text: "does not have at most 100 entries" }],
  });
});
