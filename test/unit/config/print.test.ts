import { expect, test } from "vitest";
import { printConfig } from "../../../src/config/index.ts";
import { loaded } from "./project.ts";

const files = {
  "config/production.yaml":
    "providers: { cloud: { kind: cloud, from: { a.jp: mail@b.jp } } }\nclasses: { otp: { whenThrottled: { spillAfterMs: 5s } } }\n",
};
const env = {
  NODE_ENV: "production",
  MAILOVER_REDIS_URL: "redis://admin:pA55word@redis",
  MAILOVER_REDIS_PASSWORD: "pA55word",
  MAILOVER_PROVIDERS_CLOUD_API_KEY: "K-pA55word",
};

function printed(format: "text" | "json"): string {
  const { config, sources, isSecret } = loaded(files, env);
  return printConfig(config, sources, { format, isSecret });
}

test("each setting has a line with its value and where it came from", () => {
  const lines = printed("text").split("\n");
  const rows = new Map(lines.map((line) => [line.split(/ {2,}/)[0], line.split(/ {2,}/).slice(1)]));
  expect(rows.get("redis.url")).toEqual(["redis://‹hidden›@redis", "MAILOVER_REDIS_URL"]);
  expect(rows.get("breaker.openMs")?.[0]).toBe("5000 (5s)");
  expect(rows.get("breaker.openMs")?.[1]).toMatch(/config\/default\.yaml$/);
  expect(rows.get("providers.cloud.apiKey")).toEqual(["‹hidden›", "MAILOVER_PROVIDERS_CLOUD_API_KEY"]);
  expect(rows.get('providers.cloud.from["a.jp"]')).toEqual(["mail@b.jp", "config/production.yaml"]);
  expect(rows.get("providers.cloud.priority")).toEqual(["100", "default"]);
});

test("throttling is shown as it is written", () => {
  const settings = JSON.parse(printed("json"));
  expect(settings["classes.otp.whenThrottled"]).toEqual({
    value: { spillAfterMs: 5000 },
    source: "config/production.yaml",
  });
  expect(settings["classes.bulk.whenThrottled"].value).toBe("wait");
});

test.each(["text", "json"] as const)("no secret is in the %s", (format) => {
  expect(printed(format)).not.toContain("pA55");
});
