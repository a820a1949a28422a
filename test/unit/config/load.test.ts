import { describe, expect, test, vi } from "vitest";
import { formatProblems } from "../../../src/config/index.ts";
import { errorsOf, load, loaded, RELAY } from "./project.ts";

describe("the order of files", () => {
  const open = (openMs: string) => `breaker: { openMs: ${openMs} }\n`;

  const cases: readonly [
    rule: string,
    files: Record<string, string>,
    env: Record<string, string>,
    openMs: number,
    source: string,
  ][] = [
    ["the package's defaults are always there", { "config/development.yaml": RELAY }, {}, 5000, "default.yaml"],
    [
      "default.yaml of the folder lies over them",
      { "config/default.yaml": RELAY + open("1s") },
      {},
      1000,
      "config/default.yaml",
    ],
    [
      "the deployment's file lies over default.yaml",
      { "config/default.yaml": RELAY + open("1s"), "config/production.yaml": open("2s") },
      { NODE_ENV: "production" },
      2000,
      "config/production.yaml",
    ],
    [
      "development is the deployment unless told",
      { "config/development.yaml": RELAY + open("2s") },
      {},
      2000,
      "config/development.yaml",
    ],
    [
      "NODE_CONFIG_ENV goes before NODE_ENV",
      { "config/default.yaml": RELAY, "config/production.yaml": open("2s"), "config/staging.yaml": open("3s") },
      { NODE_ENV: "production", NODE_CONFIG_ENV: "staging" },
      3000,
      "config/staging.yaml",
    ],
    [
      "local.yaml lies over the deployment's file",
      { "config/development.yaml": RELAY + open("2s"), "config/local.yaml": open("4s") },
      {},
      4000,
      "config/local.yaml",
    ],
    [
      "local-{deployment}.yaml lies over local.yaml",
      {
        "config/development.yaml": RELAY,
        "config/local.yaml": open("4s"),
        "config/local-development.yaml": open("5s"),
      },
      {},
      5000,
      "config/local-development.yaml",
    ],
    [
      "NODE_CONFIG lies over files",
      { "config/local.yaml": RELAY + open("4s") },
      { NODE_CONFIG: '{"breaker":{"openMs":6000}}' },
      6000,
      "NODE_CONFIG",
    ],
    [
      "a mapped variable lies over NODE_CONFIG",
      { "config/local.yaml": RELAY, "config/custom-environment-variables.yaml": "breaker: { openMs: OPEN }" },
      { NODE_CONFIG: '{"breaker":{"openMs":6000}}', OPEN: "7s" },
      7000,
      "OPEN",
    ],
    [
      "the setting's own variable lies over all",
      { "config/local.yaml": RELAY, "config/custom-environment-variables.yaml": "breaker: { openMs: OPEN }" },
      { OPEN: "7s", MAILOVER_BREAKER_OPEN_MS: "8s" },
      8000,
      "MAILOVER_BREAKER_OPEN_MS",
    ],
    [
      "of several folders the later lies over the earlier",
      { "a/default.yaml": RELAY + open("1s"), "b/default.yaml": open("2s") },
      { NODE_CONFIG_DIR: "a:b" },
      2000,
      "b/default.yaml",
    ],
    [
      "a deployment's file in an earlier folder lies over default.yaml in a later one",
      { "a/production.yaml": RELAY + open("1s"), "b/default.yaml": open("2s") },
      { NODE_CONFIG_DIR: "a:b", NODE_ENV: "production" },
      1000,
      "a/production.yaml",
    ],
    [
      "JSON is read as well",
      { "config/local.json": '{"breaker":{"openMs":"9s"},"providers":{"r":{"kind":"relay","host":"h"}}}' },
      {},
      9000,
      "config/local.json",
    ],
  ];
  test.each(cases)("%s", (_, files, env, openMs, source) => {
    const { config, sources } = loaded(files, env);
    expect(config.breaker.openMs).toBe(openMs);
    expect(sources.get("breaker.openMs")).toMatch(new RegExp(`${source}$`));
  });
});

describe("merging", () => {
  test("groups are merged, lists are replaced", () => {
    const { config } = loaded({
      "config/default.yaml": `${RELAY}retry: { delaysMs: [1s, 2s, 3s] }\n`,
      "config/development.yaml": "retry: { delaysMs: [9s] }\nproviders: { relay: { port: 25 } }\n",
    });
    expect(config.retry).toMatchObject({ delaysMs: [9000], jitterPercent: 20 });
    expect(config.providers["relay"]).toMatchObject({ host: "smtp.example.jp", port: 25 });
  });

  test("null takes a provider out", () => {
    const { config } = loaded({
      "config/default.yaml": "providers: { relay: { kind: relay, host: h }, cloud: { kind: cloud, apiKey: K-1 } }",
      "config/local.yaml": "providers: { cloud: null }",
    });
    expect(Object.keys(config.providers)).toEqual(["relay"]);
  });

  test("null gives a setting its default back", () => {
    const { config } = loaded({
      "config/default.yaml": RELAY.replace("host:", "port: 25, host:"),
      "config/local.yaml": "providers: { relay: { port: null } }",
    });
    expect(config.providers["relay"]).toMatchObject({ port: 587 });
  });

  test("a group with nothing but comments below it changes nothing", () => {
    const { config } = loaded({
      "config/default.yaml": RELAY,
      "config/local.yaml": "breaker:\n#  openMs: 1s\nproviders:\n",
    });
    expect(config.breaker.openMs).toBe(5000);
    expect(Object.keys(config.providers)).toEqual(["relay"]);
  });

  test("an empty file is a file", () => {
    expect(loaded({ "config/default.yaml": RELAY, "config/local.yaml": "# nothing yet\n" }).ok).toBe(true);
  });
});

describe("variables", () => {
  const cloud = { "config/production.yaml": "providers: { my-cloud: { kind: cloud } }\n" };
  const key = { NODE_ENV: "production", MAILOVER_PROVIDERS_MY_CLOUD_API_KEY: "K-1" };
  const mapped = (text: string) => ({ ...cloud, "config/custom-environment-variables.yaml": text });

  test("the package's short names hold in a folder that has no mapping of its own", () => {
    const relay = { "config/production.yaml": "providers: { relay: { kind: relay } }\n" };
    const result = load(relay, {
      NODE_ENV: "production",
      REDIS_URL: "redis://10.0.0.7:6379",
      SMTP_HOST: "mail.example.jp",
    });
    expect(result.ok && result.config).toMatchObject({
      redis: { url: "redis://10.0.0.7:6379" },
      providers: { relay: { host: "mail.example.jp" } },
    });
  });

  const cases: readonly [rule: string, files: Record<string, string>, env: Record<string, string>, want: object][] = [
    ["text", cloud, key, { apiKey: "K-1" }],
    [
      "text that looks like a number stays text",
      cloud,
      { ...key, MAILOVER_PROVIDERS_MY_CLOUD_CLIENT_SECRET: "0123" },
      { clientSecret: "0123" },
    ],
    ["a number", cloud, { ...key, MAILOVER_PROVIDERS_MY_CLOUD_PRIORITY: "7" }, { priority: 7 }],
    ["true or false", cloud, { ...key, MAILOVER_PROVIDERS_MY_CLOUD_SANDBOX: "true" }, { sandbox: true }],
    [
      "a list by commas",
      cloud,
      { ...key, MAILOVER_PROVIDERS_MY_CLOUD_SEND_AS: "a@b.c, @d.e" },
      { sendAs: ["a@b.c", "@d.e"] },
    ],
    ["a list by JSON", cloud, { ...key, MAILOVER_PROVIDERS_MY_CLOUD_SEND_AS: '["a,b"]' }, { sendAs: ["a,b"] }],
    [
      "a mapping by JSON",
      cloud,
      { ...key, MAILOVER_PROVIDERS_MY_CLOUD_FROM: '{"a.jp":"m@b.jp"}' },
      { from: { "a.jp": "m@b.jp" } },
    ],
    [
      "a setting in a group",
      cloud,
      { ...key, MAILOVER_PROVIDERS_MY_CLOUD_CERTIFICATE_FILE: "/c.pem" },
      { certificate: { file: "/c.pem" } },
    ],
    ["an empty variable is no setting", cloud, { ...key, MAILOVER_PROVIDERS_MY_CLOUD_PRIORITY: "" }, { priority: 100 }],
    [
      "a short name",
      mapped("providers: { my-cloud: { apiKey: CLOUD_KEY } }"),
      { NODE_ENV: "production", CLOUD_KEY: "K-2" },
      { apiKey: "K-2" },
    ],
    [
      "node-config's long form of a mapping",
      mapped("providers: { my-cloud: { sandbox: { __name: SANDBOX, __format: boolean } } }"),
      { ...key, SANDBOX: "true" },
      { sandbox: true },
    ],
    [
      "a short name of a provider that is not there does nothing",
      mapped("providers: { other: { apiKey: OTHER } }"),
      { ...key, OTHER: "K-3" },
      { apiKey: "K-1" },
    ],
  ];
  test.each(cases)("%s", (_, files, env, want) => {
    const { config } = loaded(files, env);
    expect(config.providers["my-cloud"]).toMatchObject(want);
    expect(Object.keys(config.providers)).toEqual(["my-cloud"]);
  });

  test("NAME_FILE reads a file, from the working directory, without its last line end", () => {
    const files = { ...cloud, "secrets/key": "K-from a file\n\n" };
    const env = { NODE_ENV: "production", MAILOVER_PROVIDERS_MY_CLOUD_API_KEY_FILE: "secrets/key" };
    const { config, sources } = loaded(files, env);
    expect(config.providers["my-cloud"]).toMatchObject({ apiKey: "K-from a file\n" });
    expect(sources.get("providers.my-cloud.apiKey")).toBe("MAILOVER_PROVIDERS_MY_CLOUD_API_KEY_FILE");
  });

  test("a short name works with _FILE as well", () => {
    const files = { ...mapped("providers: { my-cloud: { apiKey: CLOUD_KEY } }"), key: "K-4\r\n" };
    const { config } = loaded(files, { NODE_ENV: "production", CLOUD_KEY_FILE: "key" });
    expect(config.providers["my-cloud"]).toMatchObject({ apiKey: "K-4" });
  });

  test("what is missing is asked for by its short name", () => {
    const files = mapped("providers: { my-cloud: { apiKey: CLOUD_KEY } }");
    expect(errorsOf(files, { NODE_ENV: "production" })).toEqual([
      "config/production.yaml: providers.my-cloud.apiKey: is missing; set CLOUD_KEY, or CLOUD_KEY_FILE to the path of a file that holds it",
    ]);
  });

  test("core settings have variables too", () => {
    const env = {
      MAILOVER_REDIS_URL: "redis://redis",
      MAILOVER_CLASSES_BULK_WHEN_THROTTLED: "spill",
      MAILOVER_LOG_PRETTY: "true",
    };
    const { config } = loaded({ "config/local.yaml": RELAY }, env);
    expect(config).toMatchObject({
      redis: { url: "redis://redis" },
      classes: { bulk: { whenThrottled: { maxWaitMs: 0 } } },
      log: { pretty: true },
    });
  });
});

describe("warnings", () => {
  const warningsOf = (files: Record<string, string>, env: Record<string, string> = {}) =>
    formatProblems(load(files, env).warnings);

  const cases: readonly [rule: string, files: Record<string, string>, env: Record<string, string>, want: string][] = [
    [
      "a deployment without a file",
      { "config/local.yaml": RELAY },
      { NODE_ENV: "prod" },
      'NODE_ENV: "prod" has no file: prod.yaml is not in config',
    ],
    [
      "a mistyped variable",
      { "config/local.yaml": RELAY },
      { MAILOVER_BREAKER_OPENMS: "1s" },
      "MAILOVER_BREAKER_OPENMS: sets nothing: no such setting, or no such provider; did you mean MAILOVER_BREAKER_OPEN_MS?",
    ],
    [
      "a secret in a file that is shared",
      { "config/production.yaml": "providers: { cloud: { kind: cloud, apiKey: K-1 } }" },
      { NODE_ENV: "production" },
      "config/production.yaml: providers.cloud.apiKey: is a secret in a file that others may read; " +
        "set MAILOVER_PROVIDERS_CLOUD_API_KEY or MAILOVER_PROVIDERS_CLOUD_API_KEY_FILE",
    ],
    [
      "no word about a secret in local.yaml",
      { "config/local.yaml": "providers: { c: { kind: cloud, apiKey: K-1 } }" },
      {},
      "",
    ],
    [
      "nor about one of the lab's own",
      {
        "config/development.yaml":
          "providers: { c: { kind: cloud, clientSecret: lab-client-secret, apiKey: SG.lab.key } }",
      },
      {},
      "",
    ],
    [
      "nor about what Kubernetes sets for services",
      { "config/local.yaml": RELAY },
      { MAILOVER_SERVICE_HOST: "10.0.0.1", MAILOVER_PORT: "tcp://10.0.0.1:25", MAILOVER_PORT_25_TCP_ADDR: "10.0.0.1" },
      "",
    ],
    ["nor about variables of others", { "config/local.yaml": RELAY }, { PATH: "/bin", MAIL: "x" }, ""],
  ];
  test.each(cases)("%s", (_, files, env, want) => {
    expect(warningsOf(files, env)).toBe(want);
  });
});

test("the configuration is frozen all the way down", () => {
  const { config } = loaded({ "config/local.yaml": RELAY });
  const unfrozen = (value: unknown): unknown[] =>
    typeof value === "object" && value !== null
      ? [...(Object.isFrozen(value) ? [] : [value]), ...Object.values(value).flatMap(unfrozen)]
      : [];
  expect(unfrozen(config)).toEqual([]);
});

test("two loads share nothing, and nothing is printed", () => {
  const print = vi.spyOn(console, "error");
  const first = loaded({ "config/local.yaml": `${RELAY}log: { level: debug }` });
  const second = loaded({ "config/local.yaml": RELAY });
  load({ "config/local.yaml": "a: b: c" }, { NODE_ENV: "nowhere" });
  expect([first.config.log.level, second.config.log.level]).toEqual(["debug", "info"]);
  expect(print).not.toHaveBeenCalled();
});

test("the environment of the process is not looked at", () => {
  vi.stubEnv("MAILOVER_LOG_LEVEL", "trace");
  vi.stubEnv("NODE_CONFIG", '{"log":{"level":"trace"}}');
  try {
    expect(loaded({ "config/local.yaml": RELAY }).config.log.level).toBe("info");
  } finally {
    vi.unstubAllEnvs();
  }
});
