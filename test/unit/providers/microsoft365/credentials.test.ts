import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import forge from "node-forge";
import { generate } from "selfsigned";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LAB_ACCOUNT, startLab } from "../../../../src/lab/index.ts";
import type { Lab } from "../../../../src/lab/index.ts";
import { clientSecret, providerOf, resetLab } from "./lab-provider.ts";
import type { Watched } from "./lab-provider.ts";

const { clientId } = LAB_ACCOUNT;
const password = "p4ssw0rd-of-tests";

let lab: Lab;
let folder: string;
let watched: Watched | null = null;

beforeAll(async () => {
  lab = await startLab();
  folder = await mkdtemp(join(tmpdir(), "mailover-test-"));
});
afterAll(async () => {
  await lab.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => resetLab(lab));
afterEach(async () => {
  await watched?.close();
});

function makeCertificate(notAfterDate = new Date(Date.now() + 86_400_000)) {
  return generate([{ name: "commonName", value: "mailover" }], {
    keyType: "rsa",
    keySize: 2048,
    algorithm: "sha256",
    notBeforeDate: new Date(Date.now() - 7 * 86_400_000),
    notAfterDate,
  });
}

async function fileOf(name: string, content: string | Buffer): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
}

describe("Entra ID takes", () => {
  test("a secret", async () => {
    watched = providerOf(lab, { clientSecret });
    expect(await watched.send()).toMatchObject({ kind: "relayed" });
  });

  test("a certificate in PEM, and the one that replaces it, without a restart", async () => {
    const first = await makeCertificate();
    const second = await makeCertificate();
    lab.entra.setRules({ apps: [{ clientId, certificates: [first.cert] }] });
    const file = await fileOf("app.pem", `${first.private}\n${first.cert}`);
    watched = providerOf(lab, { certificate: { file } });
    expect(await watched.send()).toMatchObject({ kind: "relayed" });

    lab.entra.setRules({ apps: [{ clientId, certificates: [second.cert] }] });
    lab.entra.revokeTokens();
    await lab.exchange.setFault({ kind: "refuse" });
    await lab.exchange.setFault(null);
    expect(await watched.send()).toMatchObject({ kind: "rejected", failure: { cause: "auth", stage: "auth" } });
    await fileOf("app.pem", `${second.private}\n${second.cert}`);
    expect(await watched.send()).toMatchObject({ kind: "relayed" });
  });

  test("a certificate in a PFX with a password", async () => {
    const { private: key, cert } = await makeCertificate();
    const { privateKeyFromPem, certificateFromPem } = forge.pki;
    const rsaKey = createPrivateKey(key).export({ type: "pkcs1", format: "pem" }).toString();
    const container = forge.pkcs12.toPkcs12Asn1(privateKeyFromPem(rsaKey), certificateFromPem(cert), password);
    const file = await fileOf("app.pfx", Buffer.from(forge.asn1.toDer(container).getBytes(), "latin1"));
    lab.entra.setRules({ apps: [{ clientId, certificates: [cert] }] });
    watched = providerOf(lab, { certificate: { file, password } });
    expect(await watched.send()).toMatchObject({ kind: "relayed" });
  });

  test("a federated token", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const issuer = "https://oidc.example.test/cluster";
    const subject = "system:serviceaccount:mail:mailover";
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const expiresAtS = Math.floor(Date.now() / 1000) + 3600;
    const claims = { iss: issuer, sub: subject, aud: "api://AzureADTokenExchange", exp: expiresAtS };
    const signed = `${part({ alg: "RS256" })}.${part(claims)}`;
    const token = `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
    const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
    lab.entra.setRules({ apps: [{ clientId, federated: [{ issuer, subject, publicKey: pem }] }] });
    watched = providerOf(lab, { federatedTokenFile: await fileOf("token", `${token}\n`) });
    expect(await watched.send()).toMatchObject({ kind: "relayed" });
  });
});

describe("a credential that fails says where and why", () => {
  test("an expired certificate, before anything is asked", async () => {
    const { private: key, cert } = await makeCertificate(new Date(Date.now() - 86_400_000));
    watched = providerOf(lab, { certificate: { file: await fileOf("old.pem", key + cert) } });
    expect(await watched.send()).toMatchObject({
      kind: "rejected",
      failure: {
        cause: "auth",
        stage: "token",
        rule: "certificate-expired",
        reason: expect.stringMatching(/^certificate\.file: .*old\.pem: it expired at /),
        remedy: expect.stringContaining("upload it"),
      },
    });
    expect(lab.entra.tokenRequestCount()).toBe(0);
  });

  test("a certificate that is not uploaded", async () => {
    const { private: key, cert } = await makeCertificate();
    watched = providerOf(lab, { certificate: { file: await fileOf("app.pem", key + cert) } });
    expect(await watched.send()).toMatchObject({
      kind: "rejected",
      failure: { cause: "auth", rule: "entra-certificate-not-registered" },
    });
  });

  test("a federated token that no longer counts does not get into the reason", async () => {
    watched = providerOf(lab, { federatedTokenFile: await fileOf("token", "eyJhbGciOi.eyJpc3Mi.c2lnbmF0dXJl") });
    expect(await watched.send()).toMatchObject({ kind: "rejected", failure: { cause: "auth", stage: "token" } });
  });

  test("a file that is not there", async () => {
    watched = providerOf(lab, { federatedTokenFile: join(folder, "nowhere") });
    expect(await watched.verify()).toMatchObject({
      ok: false,
      stages: ["token"],
      failure: { cause: "auth", rule: "credential-file-unreadable" },
    });
  });
});
