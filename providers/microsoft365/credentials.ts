import { readFile } from "node:fs/promises";
import type { NodeAuthOptions } from "@azure/msal-node";
import { readCertificate } from "./certificate.ts";
import type { CredentialProblem } from "./certificate-file.ts";
import type { Settings } from "./settings.ts";

/** How the app proves to Entra ID who it is, in MSAL's form. */
export type Credential = Pick<NodeAuthOptions, "clientSecret" | "clientCertificate" | "clientAssertion">;

export type CredentialReading =
  | { readonly ok: true; readonly credential: Credential; readonly secrets: readonly string[] }
  | { readonly ok: false; readonly problem: CredentialProblem };

/**
 * Reads the credential that the settings name. Files are read again each time, so that a renewed certificate and a
 * projected token (Kubernetes renews it every hour) are taken up without a restart. `secrets` must be kept out of any text.
 */
export async function readCredential(settings: Settings, now: number): Promise<CredentialReading> {
  const { clientSecret, certificate, federatedTokenFile } = settings;
  if (clientSecret !== undefined) return { ok: true, credential: { clientSecret }, secrets: [clientSecret] };

  const [field, file] =
    certificate === undefined
      ? ["federatedTokenFile", federatedTokenFile ?? ""]
      : ["certificate.file", certificate.file];
  const content = await readFile(file).catch((error: NodeJS.ErrnoException) => error);
  if (content instanceof Error) {
    return problem("CREDENTIAL_FILE_UNREADABLE", `${field}: ${file} cannot be read (${content.code ?? content.name})`);
  }

  if (certificate !== undefined) {
    const reading = readCertificate({ ...certificate, content }, now);
    if (!reading.ok) return reading;
    const { thumbprintSha256, privateKey } = reading;
    const password = certificate.password === undefined ? [] : [certificate.password];
    return { ok: true, credential: { clientCertificate: { thumbprintSha256, privateKey } }, secrets: password };
  }

  const assertion = content.toString("utf8").trim();
  if (assertion === "") return problem("CREDENTIAL_FILE_UNREADABLE", `${field}: ${file} is empty`);
  return { ok: true, credential: { clientAssertion: () => Promise.resolve(assertion) }, secrets: [assertion] };
}

function problem(errorCode: CredentialProblem["errorCode"], text: string): CredentialReading {
  return { ok: false, problem: { errorCode, text } };
}
