import { createSecretKey } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashAddress, hashAddressesIn } from "../../../src/submission/index.ts";

const key = createSecretKey(Buffer.alloc(32, 1));
const otherKey = createSecretKey(Buffer.alloc(32, 2));
const anyAddress = fc.emailAddress();

describe("the hash of an address", () => {
  test("is the same on every machine and in every release", () => {
    expect(hashAddress("bob@contoso.com", key)).toBe("#9c46853e486334bfa687@contoso.com");
  });

  test("keeps the domain and nothing of the local part", () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        const domain = address.slice(address.lastIndexOf("@")).toLowerCase();
        const hashed = hashAddress(address, key);
        expect(hashed).toMatch(/^#[0-9a-f]{20}@/);
        expect(hashed.slice(21)).toBe(domain);
      }),
    );
  });

  test("is stable, and differs by key and by address", () => {
    fc.assert(
      fc.property(anyAddress, anyAddress, (one, other) => {
        fc.pre(one.toLowerCase() !== other.toLowerCase());
        expect(hashAddress(one, key)).toBe(hashAddress(one, key));
        expect(hashAddress(one, key)).toBe(hashAddress(one.toUpperCase(), key));
        expect(hashAddress(one, key)).not.toBe(hashAddress(one, otherKey));
        expect(hashAddress(one, key)).not.toBe(hashAddress(other, key));
      }),
    );
  });

  test("of a hash is that hash", () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        expect(hashAddress(hashAddress(address, key), key)).toBe(hashAddress(address, key));
      }),
    );
  });

  test("tells one domain from another under the same local part", () => {
    const [one = "", other = ""] = ["bob@contoso.com", "bob@fabrikam.com"].map((address) => hashAddress(address, key));
    expect(one.split("@")[0]).not.toBe(other.split("@")[0]);
  });

  test("of the null sender is itself", () => {
    expect(hashAddress("", key)).toBe("");
  });
});

describe("addresses in a provider's reply", () => {
  const hash = (address: string) => hashAddress(address, key);
  const cases: readonly [text: string, want: string][] = [
    ["550 5.1.1 <bob@contoso.com>: no such user", `550 5.1.1 <${hash("bob@contoso.com")}>: no such user`],
    ["unknown user Bob@Contoso.com.", `unknown user ${hash("bob@contoso.com")}.`],
    ["no 'bob@contoso.com' here", `no '${hash("bob@contoso.com")}' here`],
    ["o'brien@contoso.com", hash("o'brien@contoso.com")],
    ['<"bob b"@contoso.com>', `<${hash('"bob b"@contoso.com')}>`],
    ["<bob@[192.0.2.1]>", `<${hash("bob@[192.0.2.1]")}>`],
    ["a@contoso.com, b@contoso.com", `${hash("a@contoso.com")}, ${hash("b@contoso.com")}`],
    [`already ${hash("bob@contoso.com")}`, `already ${hash("bob@contoso.com")}`],
    ["452 4.2.2 mailbox full", "452 4.2.2 mailbox full"],
  ];
  test.each(cases)("%s", (text, want) => {
    expect(hashAddressesIn(text, key)).toBe(want);
  });

  test("are the ones of the records", () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        fc.pre(!address.startsWith("'"));
        expect(hashAddressesIn(`550 <${address}> unknown`, key)).toBe(`550 <${hash(address)}> unknown`);
      }),
    );
  });

  test("are looked for in a long text without delay", () => {
    const text = "a".repeat(200_000);
    const startedAt = performance.now();
    expect(hashAddressesIn(text, key)).toBe(text);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
