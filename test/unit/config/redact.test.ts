import { describe, expect, test } from "vitest";
import { HIDDEN, redact, redactText } from "../../../src/config/index.ts";
import { secretsOf } from "../../../src/config/redact.ts";
import { definitions } from "./definitions.ts";

describe("a text without its secrets", () => {
  const cases: readonly [text: string, want: string][] = [
    ["redis://redis:6379/0", "redis://redis:6379/0"],
    ["redis://user:pA55@redis:6379", `redis://${HIDDEN}@redis:6379`],
    ["rediss://:p/A@5:5@redis", `rediss://${HIDDEN}@redis`],
    ["redis://redis?password=pA55&db=1", `redis://redis?password=${HIDDEN}&db=1`],
    ["mail@example.jp", "mail@example.jp"],
    ["-----BEGIN RSA PRIVATE KEY-----\npA55\n", HIDDEN],
    ["-----BEGIN CERTIFICATE-----\nMIIB\n", "-----BEGIN CERTIFICATE-----\nMIIB\n"],
  ];
  test.each(cases)("%j", (text, want) => {
    expect(redactText(text)).toBe(want);
  });
});

describe("which settings are secrets", () => {
  const tree = { providers: { "my-cloud": { kind: "cloud" }, relay: { kind: "relay" }, odd: { kind: "unknown" } } };
  const isSecret = secretsOf(tree, definitions);
  const cases: readonly [path: string, secret: boolean][] = [
    ["redis.password", true],
    ["redis.tls.key", true],
    ["redis.sentinels.password", true],
    ["redis.url", false],
    ["providers.my-cloud.apiKey", true],
    ["providers.my-cloud.certificate.password", true],
    ["providers.my-cloud.certificate.file", false],
    ["providers.relay.password", true],
    ["providers.relay.host", false],
    ["providers.odd.clientSecret", true],
    ["providers.odd.dkim.privateKey", true],
    ["providers.odd.dkim.privateKeyFile", false],
    ["providers.odd.federatedTokenFile", false],
  ];
  test.each(cases)("%s: %s", (path, secret) => {
    expect(isSecret(path.split("."))).toBe(secret);
  });

  test("all of a group that is a secret is hidden", () => {
    const hidden = redact(
      { redis: { password: { inner: "pA55" }, url: "redis://u:pA55@h" }, list: ["redis://u:pA55@h"] },
      [],
      isSecret,
    );
    expect(hidden).toEqual({ redis: { password: HIDDEN, url: `redis://${HIDDEN}@h` }, list: [`redis://${HIDDEN}@h`] });
  });
});
