import { createPrivateKey, X509Certificate } from "node:crypto";
import forge from "node-forge";
import { unusable, wrongPassword } from "./certificate-file.ts";
import type { CertificateFile, KeyReading } from "./certificate-file.ts";

/**
 * Reads a PFX file (PKCS #12, RFC 7292), modern (AES-256, SHA-256) or legacy (3DES, RC2, SHA-1). Node can use one for
 * TLS but does not give its key; hence node-forge.
 */
export function readPfx(source: CertificateFile): KeyReading {
  let container: forge.asn1.Asn1;
  try {
    container = forge.asn1.fromDer(source.content.toString("latin1"));
  } catch {
    return unusable(source, "it is no PFX file");
  }
  // Without a password some programs write the empty one and some none at all, which gives another key (RFC 7292 B.1).
  const [first, ...others] = source.password === undefined ? ["", undefined] : [source.password];
  let opened = open(container, first);
  for (const password of others) if (opened instanceof Error) opened = open(container, password);
  if (opened instanceof Error) {
    // node-forge has no error codes. Its messages hold no secret.
    return /password|decrypt/i.test(opened.message) ? wrongPassword(source) : unusable(source, opened.message);
  }
  const bags = opened.safeContents.flatMap(({ safeBags }) => safeBags);
  const keyBag = bags.find(({ type }) => KEY_BAGS.has(type));
  if (keyBag === undefined) return unusable(source, "it holds no private key");
  return {
    ok: true,
    key: createPrivateKey({ key: toDer(keyInfo(keyBag)), format: "der", type: "pkcs8" }),
    certificates: bags
      .filter(({ type }) => type === forge.pki.oids["certBag"])
      .map((bag) => new X509Certificate(toDer(bag.cert ? forge.pki.certificateToAsn1(bag.cert) : bag.asn1))),
  };
}

const KEY_BAGS = new Set([forge.pki.oids["keyBag"], forge.pki.oids["pkcs8ShroudedKeyBag"]]);

function open(container: forge.asn1.Asn1, password: string | undefined): forge.pkcs12.Pkcs12Pfx | Error {
  try {
    return forge.pkcs12.pkcs12FromAsn1(container, password);
  } catch (error) {
    return error as Error;
  }
}

/** A key as PKCS #8; node-forge leaves those it does not know (elliptic curves) as they are. */
function keyInfo(bag: forge.pkcs12.Bag): forge.asn1.Asn1 {
  return bag.key ? forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(bag.key)) : bag.asn1;
}

function toDer(value: forge.asn1.Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(value).getBytes(), "latin1");
}
