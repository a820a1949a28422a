import { describe, expect, test } from "vitest";
import { closest } from "../../../src/config/closest.ts";
import { formatPath } from "../../../src/config/tree.ts";
import { variableName } from "../../../src/config/variables.ts";

describe("the variable of a setting", () => {
  const cases: readonly [path: string, name: string][] = [
    ["breaker.openAtPercent", "MAILOVER_BREAKER_OPEN_AT_PERCENT"],
    ["providers.microsoft365.clientSecret", "MAILOVER_PROVIDERS_MICROSOFT365_CLIENT_SECRET"],
    ["providers.sendgrid-eu.apiKey", "MAILOVER_PROVIDERS_SENDGRID_EU_API_KEY"],
    ["redis.tls.rejectUnauthorized", "MAILOVER_REDIS_TLS_REJECT_UNAUTHORIZED"],
  ];
  test.each(cases)("%s: %s", (path, name) => {
    expect(variableName(path.split("."))).toBe(name);
  });
});

describe("a setting as people write it", () => {
  const cases: readonly [path: readonly string[], text: string][] = [
    [["breaker", "openMs"], "breaker.openMs"],
    [["retry", "delaysMs", "2"], "retry.delaysMs[2]"],
    [["providers", "my-cloud", "from", "contoso.com"], 'providers.my-cloud.from["contoso.com"]'],
    [[], ""],
  ];
  test.each(cases)("%j: %s", (path, text) => {
    expect(formatPath(path)).toBe(text);
  });
});

describe("what a mistyped word means", () => {
  const words = ["openMs", "openMaxMs", "openAtPercent", "minimumCalls"];
  const cases: readonly [word: string, meant: string | null][] = [
    ["openAtPercnt", "openAtPercent"],
    ["open_at_percent", "openAtPercent"],
    ["OPENMS", "openMs"],
    ["minimumCall", "minimumCalls"],
    ["colour", null],
    ["", null],
  ];
  test.each(cases)("%j: %j", (word, meant) => {
    expect(closest(word, words)).toBe(meant);
  });
});
