import { createSecretKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { NodeAuthOptions } from "@azure/msal-node";
import { readCertificate } from "./certificate.ts";
import type { CredentialProblem } from "./certificate-file.ts";
import type { CredentialSettings } from "./credential-settings.ts";
import type { Settings } from "./settings.ts";

/** How the app proves to Entra ID who it is, in MSAL's form. */
export type Credential = Pick<NodeAuthOptions, "clientSecret" | "clientCertificate" | "clientAssertion">;

/** A credential as the settings give it. */
export type CredentialSource = {
  /** Path of the setting: "clientSecret", "nextCredential.certificate". */
  readonly field: string;
  readonly settings: CredentialSettings;
};

export type CredentialReading =
  | {
      readonly ok: true;
      readonly credential: Credential;
      /** To be kept out of any text. */
      readonly secrets: readonly string[];
      /** What only those have who have the credential, and what stays while it does; null: there is nothing like it. */
      readonly lasting: KeyObject | null;
      /** Epoch milliseconds, or null: nobody tells. */
      readonly expiresAt: number | null;
    }
  | { readonly ok: false; readonly problem: CredentialProblem };

/** The credentials that the settings name, the one to be tried first at the head. */
export function credentialSources(settings: Settings): readonly [CredentialSource, ...CredentialSource[]] {
  const first = { field: wayOf(settings), settings };
  const { nextCredential: next } = settings;
  return next === undefined ? [first] : [first, { field: `nextCredential.${wayOf(next)}`, settings: next }];
}

/**
 * Reads a credential. Files are read again each time, so that a renewed certificate and a projected token (Kubernetes
 * renews it every hour) are taken up without a restart. A federated token is lent for an hour: nothing in it lasts.
 */
export async function readCredential({ field, settings }: CredentialSource, now: number): Promise<CredentialReading> {
  const { clientSecret, secretExpiresAt, certificate, federatedTokenFile } = settings;
  if (clientSecret !== undefined) {
    const expiresAt = secretExpiresAt === undefined ? null : Date.parse(secretExpiresAt);
    const lasting = createSecretKey(Buffer.from(clientSecret));
    return { ok: true, credential: { clientSecret }, secrets: [clientSecret], lasting, expiresAt };
  }

  const [path, file] =
    certificate === undefined ? [field, federatedTokenFile ?? ""] : [`${field}.file`, certificate.file];
  const content = await readFile(file).catch((error: NodeJS.ErrnoException) => error);
  if (content instanceof Error) {
    return problem("CREDENTIAL_FILE_UNREADABLE", `${path}: ${file} cannot be read (${content.code ?? content.name})`);
  }

  if (certificate !== undefined) {
    const reading = readCertificate({ ...certificate, field, content }, now);
    if (!reading.ok) return reading;
    const { thumbprintSha256, privateKey, expiresAt } = reading;
    return {
      ok: true,
      credential: { clientCertificate: { thumbprintSha256, privateKey } },
      secrets: certificate.password === undefined ? [] : [certificate.password],
      lasting: createSecretKey(Buffer.from(privateKey)),
      expiresAt,
    };
  }

  const assertion = content.toString("utf8").trim();
  if (assertion === "") return problem("CREDENTIAL_FILE_UNREADABLE", `${path}: ${file} is empty`);
  const credential: Credential = { clientAssertion: () => Promise.resolve(assertion) };
  return { ok: true, credential, secrets: [assertion], lasting: null, expiresAt: null };
}

function wayOf({ clientSecret, certificate }: CredentialSettings): string {
  if (clientSecret !== undefined) return "clientSecret";
  return certificate === undefined ? "federatedTokenFile" : "certificate";
}

function problem(errorCode: CredentialProblem["errorCode"], text: string): CredentialReading {
  return { ok: false, problem: { errorCode, text } };
}
