import fc from "fast-check";
import { expect, test } from "vitest";
import { checkRoutes } from "../../../src/config/check-routes.ts";
import { formatProblems, loadConfig, printConfig } from "../../../src/config/index.ts";
import { matches } from "../../../src/delivery/route-rules.ts";
import type { Conditions, RouteFacts } from "../../../src/delivery/route-rules.ts";
import { providerDefinitions } from "../../../providers/index.ts";
import { blocksOf, read } from "../docs/pages.ts";
import { errorsOf, loaded, project } from "./project.ts";

const providers =
  "providers: { relay: { kind: relay, host: a.jp }, cloud: { kind: cloud, apiKey: K-1 }, " +
  "many: { kind: relay, hosts: [one.jp, two.jp] } }\n";

const routesOf = (routes: string, env: Record<string, string> = {}) =>
  loaded({ "config/default.yaml": `${providers}routes: ${routes}\n` }, env).config.routes;

test("there are none unless someone writes them", () => {
  expect(loaded({ "config/default.yaml": providers }).config.routes).toEqual([]);
});

test("a rule stays as written, one without conditions too", () => {
  expect(
    routesOf("[{ when: { class: [otp, bulk], tag: a }, use: [cloud, relay] }, { use: [[relay, cloud]] }]"),
  ).toEqual([
    { when: { class: ["otp", "bulk"], tag: "a" }, use: ["cloud", "relay"] },
    { when: {}, use: [["relay", "cloud"]] },
  ]);
});

test("domains are in lower case, other letters as A-labels", () => {
  expect(routesOf('[{ when: { senderDomain: [Contoso.COM, "*.Bücher.example"] }, use: [relay] }]')).toMatchObject([
    { when: { senderDomain: ["contoso.com", "*.xn--bcher-kva.example"] } },
  ]);
});

test("a pool's name stands for its members", () => {
  const routes = routesOf("[{ use: [many, relay] }]");
  expect(routes[0]?.use).toEqual([["many-1", "many-2"], "relay"]);
  expect(routesOf("[{ use: [[relay, many], cloud] }]")[0]?.use).toEqual([["relay", "many-1", "many-2"], "cloud"]);
  expect(routesOf("[{ use: [many-2, relay] }]")[0]?.use).toEqual(["many-2", "relay"]);
});

test("they can come from a variable, and are shown as one setting", () => {
  const env = { MAILOVER_ROUTES: '[{"when":{"class":"bulk"},"use":["cloud"]}]' };
  const { config, sources, isSecret } = loaded({ "config/default.yaml": providers }, env);
  expect(JSON.parse(printConfig(config, sources, { format: "json", isSecret }))).toMatchObject({
    routes: { value: [{ when: { class: "bulk" }, use: ["cloud"] }], source: "MAILOVER_ROUTES" },
  });
});

test.each([
  ["a wider list of values", "{ when: { class: [otp, bulk] }, use: [relay] }, { when: { class: otp }, use: [cloud] }"],
  [
    "the domain above",
    '{ when: { recipientDomain: "*.jp" }, use: [relay] }, { when: { recipientDomain: [a.jp, "*.b.jp"] }, use: [cloud] }',
  ],
  ["the same conditions", "{ when: { tag: a }, use: [relay] }, { when: { tag: a }, use: [cloud] }"],
])("a rule behind %s is never reached", (_what, rules) => {
  const files = { "config/default.yaml": `${providers}routes: [${rules}]\n` };
  expect(errorsOf(files)).toEqual([
    "config/default.yaml: routes[1]: is never reached: routes[0] takes all mail that it could take",
  ]);
});

test.each([
  ["fewer values", "{ when: { class: otp }, use: [relay] }, { when: { class: [otp, bulk] }, use: [cloud] }"],
  ["a further condition", "{ when: { class: otp, tag: a }, use: [relay] }, { when: { class: otp }, use: [cloud] }"],
  [
    "the domain of the same end",
    '{ when: { senderDomain: "*.a.jp" }, use: [relay] }, { when: { senderDomain: [a.jp, b-a.jp] }, use: [cloud] }',
  ],
])("a rule behind one with %s may be reached", (_what, rules) => {
  expect(routesOf(`[${rules}]`)).toHaveLength(2);
});

test("without providers no name of a route is blamed", () => {
  expect(errorsOf({ "config/default.yaml": "routes: [{ use: [relay] }]\n" })).toEqual([
    "config/development.yaml: providers: names no provider; write one into this file",
  ]);
});

test("the examples of docs/routes.md are right", () => {
  const [providers, routes] = blocksOf(read("docs/routes.md"), "yaml");
  const env = {
    NODE_ENV: "production",
    MAILOVER_PROVIDERS_MICROSOFT365_CLIENT_SECRET: "s3cr3t",
    MAILOVER_PROVIDERS_FABRIKAM365_CLIENT_SECRET: "s3cr3t",
    MAILOVER_PROVIDERS_SENDGRID_API_KEY: "SG.s3cr3t",
    MAILOVER_PROVIDERS_RELAY_PASSWORD: "s3cr3t",
  };
  const files = { "config/production.yaml": providers ?? "", "config/local.yaml": routes ?? "" };
  for (const names of [["config/production.yaml"], ["config/production.yaml", "config/local.yaml"]] as const) {
    const cwd = project(Object.fromEntries(names.map((name) => [name, files[name]])));
    const result = loadConfig({ env, cwd, definitions: providerDefinitions });
    expect(result.ok ? result.config.routes.length : formatProblems(result.errors)).toBe(names.length === 1 ? 2 : 1);
  }
});

const domains = fc.subarray(["a.jp", "b.jp", "x.a.jp", "*.a.jp", "*.jp"], { minLength: 1 });
const words = fc.subarray(["a", "b"], { minLength: 1 });
const conditions: fc.Arbitrary<Conditions> = fc.record(
  { senderDomain: domains, recipientDomain: domains, tenant: words, tag: words },
  { requiredKeys: [] },
);
const facts: fc.Arbitrary<RouteFacts> = fc.record({
  class: fc.constant("otp"),
  senderDomain: fc.constantFrom("a.jp", "b.jp", "x.a.jp", "y.x.a.jp"),
  recipientDomains: fc.subarray(["a.jp", "b.jp", "x.a.jp", "y.x.a.jp"], { minLength: 1 }),
  tenant: fc.constantFrom("a", "b", null),
  tags: fc.subarray(["a", "b"]),
});

test("a rule that no message reaches has no message that the earlier one does not take", () => {
  let unreachable = 0;
  fc.assert(
    fc.property(conditions, conditions, fc.array(facts, { minLength: 20, maxLength: 20 }), (one, other, messages) => {
      const rules = [one, other].map((when) => ({ when, use: ["relay"] }));
      if (checkRoutes(rules, ["relay"], {}).length === 0) return true;
      unreachable += 1;
      return messages.every((message) => !matches(other, message) || matches(one, message));
    }),
    { numRuns: 500 },
  );
  expect(unreachable).toBeGreaterThan(10);
});
