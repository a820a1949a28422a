import { constants, createPublicKey, verify, X509Certificate } from "node:crypto";
import { isObject, parseJson } from "./json-value.ts";
import type { JsonObject } from "./json-value.ts";

/** A federated credential of an app: whose assertions count for it. */
export type FederatedCredential = {
  readonly issuer: string;
  readonly subject: string;
  /** Public key of the issuer, PEM. */
  readonly publicKey: string;
};

export type AssertionKeys = {
  /** Certificates registered on the app, PEM. */
  readonly certificates: readonly string[];
  readonly federated: readonly FederatedCredential[];
};

/** Why an assertion is refused: the AADSTS number and what fills its text. */
export type AssertionRefusal = { readonly aadsts: number; readonly detail: string };

type Claims = {
  readonly iss?: unknown;
  readonly sub?: unknown;
  readonly aud?: unknown;
  readonly exp?: unknown;
  readonly nbf?: unknown;
};

const FEDERATED_AUDIENCE = "api://AzureADTokenExchange";

/** Checks a client assertion (RFC 7523): one of the app's own, by certificate, or one of a federated issuer. */
export function checkAssertion(
  assertion: string,
  clientId: string,
  keys: AssertionKeys,
  audiences: readonly string[],
  now: number,
): AssertionRefusal | null {
  const parts = assertion.split(".");
  const header = parsePart(parts[0]);
  const claims: Claims | null = parsePart(parts[1]);
  if (header === null || claims === null || parts.length !== 3) return { aadsts: 50027, detail: "" };
  if (!isTimely(claims, now)) return { aadsts: 700024, detail: `Current time: ${new Date(now).toISOString()}` };
  const holds = (key: string): boolean => signatureHolds(parts, header["alg"], key);

  if (claims.iss !== clientId) {
    const credential = keys.federated.find(({ issuer, subject }) => issuer === claims.iss && subject === claims.sub);
    if (credential === undefined || claims.aud !== FEDERATED_AUDIENCE || !holds(credential.publicKey)) {
      return { aadsts: 700213, detail: String(claims.sub) };
    }
    return null;
  }
  if (claims.sub !== clientId) return { aadsts: 700021, detail: "" };
  if (typeof claims.aud !== "string" || !audiences.includes(claims.aud)) {
    return { aadsts: 700023, detail: "" };
  }
  const certificate = keys.certificates.find((pem) => matchesThumbprint(pem, header));
  if (certificate === undefined) return { aadsts: 700027, detail: "The key was not found." };
  if (!holds(certificate)) return { aadsts: 700027, detail: "Client assertion contains an invalid signature." };
  return null;
}

/** The header names its certificate by the digest of its DER form: SHA-1 as `x5t`, SHA-256 as `x5t#S256`. */
function matchesThumbprint(pem: string, header: JsonObject): boolean {
  const certificate = new X509Certificate(pem);
  const digest = (fingerprint: string): string =>
    Buffer.from(fingerprint.replaceAll(":", ""), "hex").toString("base64url");
  return header["x5t"] === digest(certificate.fingerprint) || header["x5t#S256"] === digest(certificate.fingerprint256);
}

function signatureHolds(parts: readonly string[], algorithm: unknown, pem: string): boolean {
  if (algorithm !== "RS256" && algorithm !== "PS256") return false;
  const padding =
    algorithm === "PS256"
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : { padding: constants.RSA_PKCS1_PADDING };
  const signed = Buffer.from(`${parts[0]}.${parts[1]}`);
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType !== "rsa") return false;
  return verify("sha256", signed, { key, ...padding }, Buffer.from(parts[2] ?? "", "base64url"));
}

function isTimely({ exp, nbf }: Claims, now: number): boolean {
  // Five minutes of clock skew are forgiven, as by Entra ID.
  const skewS = 300;
  const nowS = now / 1_000;
  return typeof exp === "number" && exp > nowS - skewS && (typeof nbf !== "number" || nbf < nowS + skewS);
}

function parsePart(part: string | undefined): JsonObject | null {
  const value = parseJson(Buffer.from(part ?? "", "base64url").toString("utf8"));
  return isObject(value) ? value : null;
}
