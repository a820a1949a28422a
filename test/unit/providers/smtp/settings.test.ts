import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { settings } from "../../../../providers/smtp/settings.ts";
import { noLimits } from "../no-limits.ts";

const least = { kind: "smtp", host: "smtp.example.test" };
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" });

test("a host is enough", () => {
  expect(settings.parse(least)).toEqual({
    kind: "smtp",
    host: "smtp.example.test",
    port: 587,
    priority: 100,
    weight: 1,
    limits: noLimits,
    from: {},
    tls: "required",
    auth: "auto",
    minTlsVersion: "TLSv1.2",
    connections: 10,
    maxMessageBytes: 26_214_400,
    maxRecipients: 100,
    idleMs: 30_000,
    messagesPerConnection: 100,
    timeouts: {
      dnsMs: 5_000,
      connectMs: 5_000,
      tlsMs: 5_000,
      greetingMs: 10_000,
      commandMs: 15_000,
      contentMs: 30_000,
      contentReplyMs: 60_000,
      totalMs: 120_000,
    },
  });
});

test("keys of the From mapping are lower-cased", () => {
  const { from } = settings.parse({
    ...least,
    from: { "Contoso.com": "Mail@x.test", "A@B.test": "c@d.test", "*": "e@f.test" },
  });
  expect(from).toEqual({ "contoso.com": "Mail@x.test", "a@b.test": "c@d.test", "*": "e@f.test" });
});

describe("a wrong setting is named", () => {
  const dkim = { domainName: "a.test", keySelector: "s" };
  const cases: readonly [rule: string, own: object, path: string, message: RegExp][] = [
    ["unknown keys", { hots: "x" }, "", /unrecognized key.*hots/i],
    ["no host", { host: "" }, "host", /./],
    ["a port out of range", { port: 70_000 }, "port", /65535/],
    ["an unknown TLS mode", { tls: "always" }, "tls", /implicit.*required.*optional.*none/],
    ["PLAIN without a user", { auth: "plain", password: "x" }, "user", /is missing: auth is plain/],
    ["LOGIN without a password", { auth: "login", user: "x" }, "password", /is missing: auth is login/],
    ["XOAUTH2 without a token", { auth: "xoauth2", user: "x" }, "accessToken", /is missing: auth is xoauth2/],
    ["a user without a password", { user: "x" }, "password", /is missing: user is set/],
    ["a password without a user", { password: "x" }, "user", /is missing: password is set/],
    ["a token without a user", { accessToken: "x" }, "user", /is missing: accessToken is set/],
    [
      "a mapping to what is no address",
      { from: { "contoso.test": "x" } },
      "from.contoso.test",
      /is not a mail address/,
    ],
    ["a negative time", { timeouts: { dnsMs: -1 } }, "timeouts.dnsMs", /./],
    ["DKIM without a key", { dkim }, "dkim", /exactly one of privateKey and privateKeyFile/],
    ["DKIM with two", { dkim: { ...dkim, privateKey: ec, privateKeyFile: "x" } }, "dkim.privateKey", /RSA/],
    [
      "DKIM with a key of another kind",
      { dkim: { ...dkim, privateKey: ec } },
      "dkim.privateKey",
      /RSA private key in PEM/,
    ],
    ["an EHLO name with spaces", { name: "a b" }, "name", /spaces/],
  ];
  test.each(cases)("%s", (_rule, own, path, message) => {
    const result = settings.safeParse({ ...least, ...own });
    const issues = result.error?.issues ?? [];
    const issue = issues.find((each) => each.path.join(".") === path);
    expect(issue?.message).toMatch(message);
  });
});
