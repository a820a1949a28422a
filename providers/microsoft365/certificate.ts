import { createPrivateKey, X509Certificate } from "node:crypto";
import { extname } from "node:path";
import { certificateProblem, unusable, wrongPassword } from "./certificate-file.ts";
import type { CertificateFile, CredentialProblem, KeyReading } from "./certificate-file.ts";
import { readPfx } from "./pfx.ts";

export type CertificateReading =
  | {
      readonly ok: true;
      /** Hexadecimal, without colons: how Entra ID finds the certificate that was uploaded. */
      readonly thumbprintSha256: string;
      /** PEM, PKCS #8, not encrypted. */
      readonly privateKey: string;
      /** The end of its validity, epoch milliseconds. */
      readonly expiresAt: number;
    }
  | { readonly ok: false; readonly problem: CredentialProblem };

/**
 * Reads a certificate with its private key: PFX by the endings .pfx and .p12, else PEM. Entra ID takes RSA only. Of
 * several certificates, the one that belongs to the key counts.
 */
export function readCertificate(source: CertificateFile, now: number): CertificateReading {
  const isPfx = [".pfx", ".p12"].includes(extname(source.file).toLowerCase());
  const reading = isPfx ? readPfx(source) : readPem(source);
  if (!reading.ok) return reading;
  const { key, certificates } = reading;
  if (key.asymmetricKeyType !== "rsa") {
    return unusable(
      source,
      `its key is of type ${key.asymmetricKeyType ?? "unknown"}, and Entra ID takes RSA keys only`,
    );
  }
  const certificate = certificates.find((candidate) => candidate.checkPrivateKey(key));
  if (certificate === undefined) return unusable(source, "it holds no certificate that belongs to its private key");

  const validFromAt = Date.parse(certificate.validFrom);
  const validToAt = Date.parse(certificate.validTo);
  if (now < validFromAt) {
    const rule = `it is valid only from ${new Date(validFromAt).toISOString()}`;
    return certificateProblem("CERTIFICATE_NOT_YET_VALID", source, rule);
  }
  if (now > validToAt) {
    return certificateProblem("CERTIFICATE_EXPIRED", source, `it expired at ${new Date(validToAt).toISOString()}`);
  }
  return {
    ok: true,
    thumbprintSha256: certificate.fingerprint256.replaceAll(":", ""),
    privateKey: key.export({ type: "pkcs8", format: "pem" }).toString(),
    expiresAt: validToAt,
  };
}

const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs;
const KEY_BLOCK = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----.+?-----END \1-----/s;

function readPem(source: CertificateFile): KeyReading {
  const text = source.content.toString("utf8");
  const keyText = KEY_BLOCK.exec(text)?.[0];
  if (keyText === undefined) return unusable(source, "it holds no private key (a PEM block PRIVATE KEY)");
  // "BEGIN ENCRYPTED PRIVATE KEY" of PKCS #8, or the header "Proc-Type: 4,ENCRYPTED" of older files.
  const isEncrypted = keyText.includes("ENCRYPTED");
  if (isEncrypted && source.password === undefined) return wrongPassword(source);
  try {
    const key = createPrivateKey({ key: keyText, ...(isEncrypted ? { passphrase: source.password } : {}) });
    const certificates = (text.match(CERTIFICATE_BLOCK) ?? []).map((block) => new X509Certificate(block));
    return { ok: true, key, certificates };
  } catch {
    return isEncrypted ? wrongPassword(source) : unusable(source, "its PEM blocks cannot be read");
  }
}
