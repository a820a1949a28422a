import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkConfig, loadConfig, printConfig } from "../../../src/config/index.ts";
import { definitions } from "../config/definitions.ts";
import { KEY, NEXT_KEY } from "./samples.ts";

const providers = { relay: { kind: "relay", host: "smtp.example.jp" } };
const good = { url: "https://hooks.example.org/mail", secret: KEY };

function check(webhook: object, name = "app") {
  return checkConfig({ providers, webhooks: { [name]: webhook } }, definitions);
}

function problemOf(webhook: object, name?: string): string {
  const result = check(webhook, name);
  return result.ok ? "" : result.findings.map(({ path, text }) => `${path.join(".")}: ${text}`).join("\n");
}

test("an endpoint is told of all events and has 15 s to answer, unless it says otherwise", () => {
  const result = check(good);
  expect(result.ok && result.config.webhooks).toEqual({
    app: {
      url: good.url,
      secret: [KEY],
      events: [
        "message.relayed",
        "message.deferred",
        "message.held",
        "message.bounced",
        "message.expired",
        "message.cancelled",
      ],
      timeoutMs: 15_000,
    },
  });
});

test.each([`${KEY} ${NEXT_KEY}`, `${KEY},${NEXT_KEY}`, `${KEY}\n${NEXT_KEY}\n`])("two keys: %j", (secret) => {
  const result = check({ ...good, secret });
  expect(result.ok && result.config.webhooks["app"]?.secret).toEqual([KEY, NEXT_KEY]);
});

describe("a url may be", () => {
  const cases: readonly [url: string, ok: boolean][] = [
    ["https://hooks.example.org/mail", true],
    ["http://localhost:3000/hooks", true],
    ["http://app:3000/hooks", true],
    ["http://app.shop.svc.cluster.local/hooks", true],
    ["http://127.0.0.1:3000", true],
    ["http://10.1.2.3", true],
    ["http://172.31.0.1", true],
    ["http://192.168.1.10", true],
    ["http://[::1]:3000", true],
    ["http://[fd00::1]:3000", true],
    ["http://hooks.example.org/mail", false],
    ["http://172.32.0.1", false],
    ["http://8.8.8.8", false],
    ["http://169.254.169.254/latest", false],
    ["http://[2001:db8::1]", false],
    ["http://10.example.org", false],
    ["ftp://app/hooks", false],
    ["hooks.example.org", false],
    ["https://user:pA55@hooks.example.org", false],
  ];
  test.each(cases)("%s: %s", (url, ok) => {
    expect(check({ ...good, url }).ok).toBe(ok);
  });
});

describe("what is wrong is said, and a secret is not shown", () => {
  const cases: readonly [what: string, webhook: object, want: string][] = [
    ["no secret", { url: good.url }, "webhooks.app.secret: is missing"],
    [
      "no prefix",
      { ...good, secret: "c2VjcmV0LXBBNTUtc2VjcmV0LXBBNTU=" },
      "webhooks.app.secret: ‹hidden› is not whsec_ and the base64 of 24 to 64 bytes",
    ],
    ["a short key", { ...good, secret: "whsec_cEE1NQ==" }, "webhooks.app.secret: ‹hidden› is not whsec_"],
    ["one of two", { ...good, secret: `${KEY} whsec_cEE1NQ==` }, "webhooks.app.secret: ‹hidden› is not whsec_"],
    ["no such event", { ...good, events: ["message.opened"] }, 'webhooks.app.events.0: "message.opened" is not one of'],
    ["no events", { ...good, events: [] }, "webhooks.app.events: does not have at least 1 entry"],
    [
      "a mistyped setting",
      { ...good, timoutMs: 5 },
      "webhooks.app.timoutMs: is not a setting; did you mean timeoutMs?",
    ],
    ["a password in the url", { ...good, url: "https://me:pA55@a.example" }, "holds a user or a password"],
  ];
  test.each(cases)("%s", (_what, webhook, want) => {
    const text = problemOf(webhook);
    expect(text).toContain(want);
    expect(text).not.toMatch(/pA55|cEE1NQ|c2VjcmV0|AQEBAQ/);
  });

  test("a name that fits no key", () => {
    expect(problemOf(good, "My App")).toContain('the key "My App" is no name for an endpoint');
  });
});

describe("from files and variables", () => {
  let cwd: string;

  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), "mailover-webhooks-"));
    mkdirSync(join(cwd, "config"));
    writeFileSync(
      join(cwd, "config", "production.json"),
      JSON.stringify({ providers, webhooks: { "my-app": { url: good.url, timeoutMs: "5s" } } }),
    );
    writeFileSync(join(cwd, "secret"), `${KEY}\n`);
  });

  afterEach(() => rmSync(cwd, { recursive: true, force: true }));

  const load = (env: Record<string, string>) =>
    loadConfig({ env: { NODE_ENV: "production", ...env }, cwd, definitions });

  test.each([
    ["a variable", { MAILOVER_WEBHOOKS_MY_APP_SECRET: KEY }],
    ["a file", { MAILOVER_WEBHOOKS_MY_APP_SECRET_FILE: "./secret" }],
  ])("the secret comes from %s, and is hidden where settings are shown", (_from, env) => {
    const result = load(env);
    if (!result.ok) throw new Error(JSON.stringify(result.errors));
    expect(result.config.webhooks["my-app"]).toMatchObject({ secret: [KEY], timeoutMs: 5_000 });
    expect(result.warnings).toEqual([]);
    for (const format of ["text", "json"] as const) {
      const printed = printConfig(result.config, result.sources, { format, isSecret: result.isSecret });
      expect(printed).toContain("webhooks.my-app.secret");
      expect(printed).not.toContain(KEY);
      expect(printed).not.toContain(KEY.slice("whsec_".length));
    }
  });

  test("without it, the variable to set is named", () => {
    const result = load({});
    expect(result.ok ? "" : result.errors.map(({ text }) => text).join()).toContain(
      "is missing; set MAILOVER_WEBHOOKS_MY_APP_SECRET, or MAILOVER_WEBHOOKS_MY_APP_SECRET_FILE",
    );
  });

  test("a variable of an endpoint that no file names brings none into being, and is warned of", () => {
    const result = load({ MAILOVER_WEBHOOKS_MY_APP_SECRET: KEY, MAILOVER_WEBHOOKS_OTHER_SECRET: KEY });
    expect(result.ok && Object.keys(result.config.webhooks)).toEqual(["my-app"]);
    expect(result.warnings.map(({ source }) => source)).toEqual(["MAILOVER_WEBHOOKS_OTHER_SECRET"]);
  });

  test("a secret in a file that others may read is warned of", () => {
    writeFileSync(join(cwd, "config", "production.json"), JSON.stringify({ providers, webhooks: { app: good } }));
    const { warnings } = load({});
    expect(warnings.map(({ text }) => text).join()).toContain("is a secret in a file that others may read");
    expect(JSON.stringify(warnings)).not.toContain(KEY);
  });
});
