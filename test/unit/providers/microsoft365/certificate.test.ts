import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readCertificate } from "../../../../providers/microsoft365/certificate.ts";

// Made by OpenSSL 3.0: `pkcs12 -export` (AES-256, SHA-256), with `-legacy` for legacy.p12 (RC2, 3DES, SHA-1).
const password = "p4ssw0rd-of-tests";
const thumbprint = "B79E1D7C433704CC730E8DE279C65FCB03E658AE8A5CDA1AC7D138330C38BA63";
const validAt = Date.parse("2030-01-01T00:00:00Z");

function read(name: string, given?: string, now = validAt) {
  const file = fileURLToPath(new URL(`./files/${name}`, import.meta.url));
  return readCertificate({ field: "certificate", file, password: given, content: readFileSync(file) }, now);
}

describe("a certificate that can be used", () => {
  const cases: readonly [rule: string, file: string, password?: string][] = [
    ["PEM with key and certificate", "app.pem"],
    ["PEM with an encrypted key after its certificate", "encrypted-key.pem", password],
    ["PEM with a key of PKCS #1 and a chain in which its own certificate is last", "chain.pem"],
    ["PFX of OpenSSL 3, AES-256 and SHA-256", "modern.pfx", password],
    ["PFX of older programs, RC2, 3DES and SHA-1", "legacy.p12", password],
    ["PFX with a chain and a friendly name", "chain.pfx", password],
    ["PFX with an empty password", "no-password.pfx"],
  ];
  test.each(cases)("%s", (_rule, file, given) => {
    const reading = read(file, given);
    if (!reading.ok) throw new Error(reading.problem.text);
    expect(reading.thumbprintSha256).toBe(thumbprint);
    expect(reading.expiresAt).toBe(Date.parse("2126-10-31T03:40:01Z"));
    const key = createPrivateKey(reading.privateKey);
    const original = createPrivateKey(readFileSync(new URL("./files/app.pem", import.meta.url)));
    expect(key.equals(original)).toBe(true);
  });
});

describe("a certificate that cannot be used says why, and where it is set", () => {
  const cases: readonly [rule: string, file: string, password: string | undefined, errorCode: string, text: string][] =
    [
      ["wrong password of a modern PFX", "modern.pfx", "wr0ng", "CERTIFICATE_PASSWORD_WRONG", "does not open it"],
      ["wrong password of a legacy PFX", "legacy.p12", "wr0ng", "CERTIFICATE_PASSWORD_WRONG", "does not open it"],
      [
        "no password for a PFX",
        "modern.pfx",
        undefined,
        "CERTIFICATE_PASSWORD_WRONG",
        "certificate.password is not set",
      ],
      ["wrong password of a PEM key", "encrypted-key.pem", "wr0ng", "CERTIFICATE_PASSWORD_WRONG", "does not open it"],
      ["no password for a PEM key", "encrypted-key.pem", undefined, "CERTIFICATE_PASSWORD_WRONG", "is not set"],
      ["PEM without a key", "no-key.pem", undefined, "CERTIFICATE_UNUSABLE", "no private key"],
      ["PFX without a key", "no-key.pfx", password, "CERTIFICATE_UNUSABLE", "no private key"],
      ["a certificate of another key", "foreign-certificate.pem", undefined, "CERTIFICATE_UNUSABLE", "belongs to its"],
      ["PEM with a key on an elliptic curve", "elliptic.pem", undefined, "CERTIFICATE_UNUSABLE", "takes RSA keys only"],
      ["PFX with a key on an elliptic curve", "elliptic.pfx", password, "CERTIFICATE_UNUSABLE", "takes RSA keys only"],
    ];
  test.each(cases)("%s", (_rule, file, given, errorCode, text) => {
    const reading = read(file, given);
    if (reading.ok) throw new Error("it was taken");
    expect(reading.problem.errorCode).toBe(errorCode);
    expect(reading.problem.text).toContain(text);
    expect(reading.problem.text).toMatch(/^certificate\.file: .*\/files\//);
    expect(reading.problem.text).not.toContain(given ?? password);
  });

  test("a file that is neither PEM nor PFX", () => {
    for (const file of ["junk.pem", "junk.pfx"]) {
      const reading = readCertificate({ field: "certificate", file, content: Buffer.from("junk") }, validAt);
      expect(reading).toMatchObject({ ok: false, problem: { errorCode: "CERTIFICATE_UNUSABLE" } });
    }
  });

  test("before its first day and after its last", () => {
    expect(read("app.pem", undefined, Date.parse("2020-01-01"))).toMatchObject({
      problem: { errorCode: "CERTIFICATE_NOT_YET_VALID", text: expect.stringContaining("2026-11-24T03:40:01.000Z") },
    });
    expect(read("app.pem", undefined, Date.parse("2127-01-01"))).toMatchObject({
      problem: { errorCode: "CERTIFICATE_EXPIRED", text: expect.stringContaining("2126-10-31T03:40:01.000Z") },
    });
  });
});
