import { describe, expect, test } from "vitest";
import { CLOUDS, graphEndpointsOf } from "../../../../providers/microsoft365/clouds.ts";
import { settings } from "../../../../providers/microsoft365/settings.ts";

const minimal = {
  kind: "microsoft365",
  tenantId: "11111111-2222-3333-4444-555555555555",
  clientId: "66666666-7777-8888-9999-000000000000",
  mailbox: "noreply@contoso.com",
  clientSecret: "a-secret-value",
};

/** The problems as "path: message". */
function problems(changes: Record<string, unknown>): string[] {
  const result = settings.safeParse({ ...minimal, ...changes });
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

test("nothing is asked of Graph unless it is said, and absence is not believed", () => {
  const parsed = settings.parse(minimal);
  expect(parsed).toMatchObject({ verifyWithGraph: false, graph: {}, timeouts: { graphMs: 10_000 } });
  expect(parsed.absentAfterMs).toBeUndefined();
});

describe("what is refused, by path and rule", () => {
  const cases: readonly [rule: string, changes: Record<string, unknown>, want: RegExp][] = [
    ["a time for nothing", { absentAfterMs: 600_000 }, /^absentAfterMs: means nothing without verifyWithGraph: true$/],
    [
      "a time shorter than a copy may take",
      { verifyWithGraph: true, absentAfterMs: 599_999 },
      /^absentAfterMs: .*600000/,
    ],
    ["Graph without TLS", { graph: { url: "http://localhost" } }, /^graph\.url: is no https address/],
    ["Graph with a version", { graph: { url: "https://graph.microsoft.com/v1.0" } }, /^graph\.url: .* without a path/],
    ["a scope for a user", { graph: { scope: "https://graph.microsoft.com/Mail.Read" } }, /^graph\.scope: .*\.default/],
    ["an unknown name", { graph: { host: "x" } }, /^graph: .*host/],
  ];
  test.each(cases)("%s", (_rule, changes, want) => {
    expect(problems(changes)).toEqual([expect.stringMatching(want)]);
  });
});

describe("where Graph is", () => {
  test("comes from the cloud, each replaceable alone", () => {
    expect(graphEndpointsOf({ cloud: "dod", graph: {} })).toEqual({
      url: "https://dod-graph.microsoft.us",
      scope: "https://dod-graph.microsoft.us/.default",
    });
    expect(graphEndpointsOf({ cloud: "worldwide", graph: { url: "https://localhost:8443" } })).toEqual({
      url: "https://localhost:8443",
      scope: "https://graph.microsoft.com/.default",
    });
  });

  test("is an https address without a path in every cloud", () => {
    for (const { graphUrl } of Object.values(CLOUDS)) expect(graphUrl).toMatch(/^https:\/\/[a-z.-]+$/);
  });
});
