import { describe, expect, test } from "vitest";
import { apiUrl, settings } from "../../../../providers/sendgrid/settings.ts";
import { noLimits } from "../no-limits.ts";

const least = { kind: "sendgrid", apiKey: "SG.test" };

test("an API key is enough, and the rest has defaults", () => {
  expect(settings.parse(least)).toEqual({
    kind: "sendgrid",
    priority: 100,
    weight: 1,
    limits: noLimits,
    from: {},
    apiKey: "SG.test",
    region: "global",
    sandbox: false,
    timeouts: { connectMs: 5_000, responseMs: 30_000, totalMs: 60_000 },
    connections: 20,
    maxMessageBytes: 28_000_000,
    maxRecipients: 1_000,
    categoriesFromTags: true,
    customArgs: {},
    emailActivity: false,
    tracking: "account",
  });
});

describe("refused", () => {
  test.each([
    ["an unknown key", { apikey: "SG.x" }],
    ["a key that is none of SendGrid's", { apiKey: "sk-123" }],
    ["plain http beyond loopback", { baseUrl: "http://api.example.com" }],
    ["another scheme", { baseUrl: "ftp://api.example.com" }],
    ["an unknown region", { region: "us" }],
    ["more recipients than the API takes", { maxRecipients: 1_001 }],
    ["a size beyond the API's", { maxMessageBytes: 31_000_000 }],
    ["a mapping to what is no address", { from: { "contoso.com": "contoso" } }],
  ])("%s", (_what, more) => {
    expect(settings.safeParse({ ...least, ...more }).success).toBe(false);
  });

  test.each(["http://127.0.0.1:8025", "http://localhost:8025/", "http://[::1]:8025", "https://proxy.example.com/sg"])(
    "not %s",
    (baseUrl) => {
      expect(settings.safeParse({ ...least, baseUrl }).success).toBe(true);
    },
  );
});

describe("the host", () => {
  test.each([
    ["global", "https://api.sendgrid.com"],
    ["eu", "https://api.eu.sendgrid.com"],
  ])("of region %s is %s", (region, url) => {
    expect(apiUrl(settings.parse({ ...least, region }))).toBe(url);
  });

  test("is that of baseUrl where there is one", () => {
    expect(apiUrl(settings.parse({ ...least, region: "eu", baseUrl: "https://proxy.example.com/sg" }))).toBe(
      "https://proxy.example.com/sg",
    );
  });
});
