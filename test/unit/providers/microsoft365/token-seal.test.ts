import { createSecretKey } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createTokenSeal } from "../../../../providers/microsoft365/token-seal.ts";
import type { TokenIdentity } from "../../../../providers/microsoft365/token-seal.ts";

const identity: TokenIdentity = {
  authority: "https://login.microsoftonline.com",
  tenantId: "11111111-2222-3333-4444-555555555555",
  clientId: "66666666-7777-8888-9999-000000000000",
  scope: "https://outlook.office365.com/.default",
};
const secretText = "abc8Q~random-secret-of-entra-id.0123456789";
const secretOf = (text: string) => createSecretKey(Buffer.from(text));
const own = createTokenSeal(secretOf(secretText), identity);
const content = { accessToken: "eyJ0eXAi.eyJhdWQi.c2lnbmF0dXJl", lifetimeMs: 3_599_000 };

test("whoever has the same secret, for the same app and scope, reads it", () => {
  const other = createTokenSeal(secretOf(secretText), { ...identity, tenantId: identity.tenantId.toUpperCase() });
  expect(other.id).toBe(own.id);
  expect(other.open(own.seal(content))).toEqual(content);
});

test("what lies in the store holds neither token nor secret, and is never the same twice", () => {
  const sealed = [own.seal(content), own.seal(content)];
  expect(sealed[0]).not.toBe(sealed[1]);
  for (const text of [...sealed, own.id, ...sealed.map((each) => Buffer.from(each.slice(2), "base64").toString())]) {
    for (const part of [content.accessToken, "eyJ0eXAi", secretText, "random-secret"]) expect(text).not.toContain(part);
  }
});

describe("nobody else reads it, nor looks for it in the same place", () => {
  const others: readonly [rule: string, secret: string, changes: Partial<TokenIdentity>][] = [
    ["another secret", "another-secret", {}],
    ["another tenant", secretText, { tenantId: "22222222-2222-3333-4444-555555555555" }],
    ["another app", secretText, { clientId: "22222222-7777-8888-9999-000000000000" }],
    ["another scope", secretText, { scope: "https://graph.microsoft.com/.default" }],
    ["another login service", secretText, { authority: "https://login.example.com" }],
    ["parts that run into one another", secretText, { authority: `${identity.authority}1`, tenantId: "1" }],
  ];
  test.each(others)("%s", (_rule, secret, changes) => {
    const other = createTokenSeal(secretOf(secret), { ...identity, ...changes });
    expect(other.id).not.toBe(own.id);
    expect(other.open(own.seal(content))).toBeNull();
  });
});

test("a change of any byte, a cut and any other text is nothing", () => {
  const sealed = own.seal(content);
  const bytes = Buffer.from(sealed.slice(2), "base64");
  const index = fc.nat({ max: bytes.length - 1 });
  fc.assert(
    fc.property(index, fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ mask;
      expect(own.open(`1.${changed.toString("base64")}`)).toBeNull();
    }),
  );
  fc.assert(
    fc.property(index, (length) => {
      expect(own.open(`1.${bytes.subarray(0, length).toString("base64")}`)).toBeNull();
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(own.open(text)).toBeNull();
      expect(own.open(`1.${text}`)).toBeNull();
    }),
  );
  expect(own.open(sealed.replace("1.", "2."))).toBeNull();
});

test("what is no token is not taken for one, even where it was sealed rightly", () => {
  for (const wrong of [{ accessToken: "", lifetimeMs: 1 }, { accessToken: "t", lifetimeMs: 0 }, {}, null]) {
    expect(own.open(own.seal(wrong as typeof content))).toBeNull();
  }
});
