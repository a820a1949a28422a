import { describe, expect, test } from "vitest";
import { CLOUDS, endpointsOf } from "../../../../providers/microsoft365/clouds.ts";
import { maySendAs } from "../../../../providers/microsoft365/sender.ts";
import { settings } from "../../../../providers/microsoft365/settings.ts";

const minimal = {
  kind: "microsoft365",
  tenantId: "11111111-2222-3333-4444-555555555555",
  clientId: "66666666-7777-8888-9999-000000000000",
  mailbox: "noreply@contoso.com",
  clientSecret: "a-secret-value",
};

const secretWithEnd = { clientSecret: "another", secretExpiresAt: "2028-01-31T12:00:00+09:00" };

/** The problems as "path: message". */
function problems(changes: Record<string, unknown>): string[] {
  const result = settings.safeParse({ ...minimal, ...changes });
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

test("the least that is needed, and the defaults", () => {
  expect(settings.parse(minimal)).toMatchObject({
    priority: 100,
    weight: 1,
    cloud: "worldwide",
    port: 587,
    sendAs: [],
    from: {},
    connections: 3,
    maxMessageBytes: 36_700_160,
    maxRecipients: 500,
    timeouts: { connectMs: 5000, contentReplyMs: 60_000, tokenMs: 10_000 },
  });
});

describe("what is taken", () => {
  const cases: readonly [rule: string, changes: Record<string, unknown>][] = [
    ["a tenant by one of its domains", { tenantId: "contoso.onmicrosoft.com" }],
    [
      "a certificate in place of the secret",
      { clientSecret: undefined, certificate: { file: "app.pfx", password: "p" } },
    ],
    ["a federated token in place of the secret", { clientSecret: undefined, federatedTokenFile: "/var/run/token" }],
    [
      "each name of a cloud alone",
      { host: "127.0.0.1", port: 2587, authority: "https://localhost:2443/", ca: "ca.pem" },
    ],
    ["a second credential", { nextCredential: { certificate: { file: "app.pem" } } }],
    ["a second secret, and when each ends", { secretExpiresAt: "2027-01-31", nextCredential: secretWithEnd }],
    ["a key of its own for the shared token", { sharedTokenKey: Buffer.alloc(32).toString("base64") }],
    ["a mapping to an address of sendAs", { sendAs: ["@contoso.com"], from: { "*": "billing@contoso.com" } }],
    ["a mapping to the mailbox, whatever its case", { from: { "*": "NoReply@contoso.com" } }],
    ["one time limit alone", { timeouts: { tokenMs: 500 } }],
  ];
  test.each(cases)("%s", (_rule, changes) => {
    expect(problems(changes)).toEqual([]);
  });
});

describe("what is refused, by path and rule", () => {
  const cases: readonly [rule: string, changes: Record<string, unknown>, want: RegExp][] = [
    ["no credential", { clientSecret: undefined }, /^clientSecret: exactly one of .* is needed, none is set$/],
    [
      "two credentials beside one another",
      { certificate: { file: "a.pfx" } },
      /^certificate: .* clientSecret and certificate are set; a second one belongs into nextCredential$/,
    ],
    [
      "a second credential that is none",
      { nextCredential: {} },
      /^nextCredential\.clientSecret: exactly one of .* is needed, none is set$/,
    ],
    [
      "a second credential that is two",
      { nextCredential: { clientSecret: "x", federatedTokenFile: "/token" } },
      /^nextCredential\.federatedTokenFile: .* clientSecret and federatedTokenFile are set/,
    ],
    [
      "the end of a secret that is not there",
      { clientSecret: undefined, secretExpiresAt: "2027-01-31", federatedTokenFile: "/token" },
      /^secretExpiresAt: means nothing without clientSecret$/,
    ],
    ["a day that is none", { secretExpiresAt: "2027-02-30" }, /^secretExpiresAt: is neither a date such as/],
    ["an instant without its zone", { secretExpiresAt: "2027-01-31T12:00" }, /^secretExpiresAt: is neither a date/],
    ["a key of the wrong length", { sharedTokenKey: "c2hvcnQ=" }, /^sharedTokenKey: is not 32 bytes in base64/],
    ["a client ID that is none", { clientId: "mailover" }, /^clientId: is no GUID/],
    ["a tenant that is none", { tenantId: "contoso" }, /^tenantId: is neither a GUID nor a domain/],
    ["a mailbox that is none", { mailbox: "noreply" }, /^mailbox: is not a mail address/],
    ["an authority without TLS", { authority: "http://localhost" }, /^authority: is no https address/],
    ["an authority with the tenant in it", { authority: "https://x.com/common" }, /^authority: .* without a path/],
    ["a scope for a user", { scope: "https://outlook.office365.com/SMTP.Send" }, /^scope: .*\.default/],
    ["an unknown cloud", { cloud: "gcc" }, /^cloud: /],
    ["sendAs without an @", { sendAs: ["contoso.com"] }, /^sendAs\.0: is neither an address nor a domain/],
    [
      "a mapping to an address it may not send as",
      { from: { "*": "a@x.com" } },
      /^from\.\*: a@x\.com is not the mailbox/,
    ],
    ["an unknown setting", { clientsecret: "x" }, /clientsecret/],
  ];
  test.each(cases)("%s", (_rule, changes, want) => {
    expect(problems(changes)).toEqual([expect.stringMatching(want)]);
  });
});

describe("the names of a cloud", () => {
  test("come from the preset, each replaceable alone", () => {
    expect(endpointsOf({ cloud: "gcc-high" })).toEqual({
      host: "smtp.office365.us",
      authority: "https://login.microsoftonline.us",
      scope: "https://outlook.office365.us/.default",
    });
    expect(endpointsOf({ cloud: "china", host: "relay.example.cn" })).toMatchObject({
      host: "relay.example.cn",
      authority: "https://login.partner.microsoftonline.cn",
    });
  });

  test("are host names and https addresses, with a source", () => {
    for (const cloud of Object.values(CLOUDS)) {
      expect(cloud.host).toMatch(/^[a-z0-9.-]+$/);
      expect(cloud.authority).toMatch(/^https:\/\/login\.[a-z.]+$/);
      expect(cloud.scope).toMatch(/^https:\/\/[a-z0-9.-]+\/\.default$/);
      expect(cloud.source).not.toBe("");
    }
  });
});

describe("who may be the From", () => {
  const cases: readonly [rule: string, sendAs: string[], from: string, want: boolean][] = [
    ["the mailbox itself", [], "noreply@contoso.com", true],
    ["the mailbox, whatever its case", [], "NoReply@Contoso.com", true],
    ["another address of its domain is not", [], "billing@contoso.com", false],
    ["a listed address", ["Billing@contoso.com"], "billing@contoso.com", true],
    ["any address of a listed domain", ["@Contoso.com"], "billing@contoso.com", true],
    ["not those of its subdomains", ["@contoso.com"], "billing@mail.contoso.com", false],
  ];
  test.each(cases)("%s", (_rule, sendAs, from, want) => {
    expect(maySendAs("noreply@contoso.com", sendAs, from)).toBe(want);
  });
});
