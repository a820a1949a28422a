import type { KeyObject, X509Certificate } from "node:crypto";

/** A certificate's file as the settings name it, and what is in it. */
export type CertificateFile = {
  /** Path of the setting that `file` and `password` stand in: "certificate". */
  readonly field: string;
  readonly file: string;
  readonly password?: string | undefined;
  readonly content: Buffer;
};

/** Why the credential in the settings cannot be used. `text` begins with the setting's path and holds no secret. */
export type CredentialProblem = {
  readonly errorCode:
    | "CREDENTIAL_FILE_UNREADABLE"
    | "CERTIFICATE_PASSWORD_WRONG"
    | "CERTIFICATE_UNUSABLE"
    | "CERTIFICATE_NOT_YET_VALID"
    | "CERTIFICATE_EXPIRED";
  readonly text: string;
};

export type KeyReading =
  /** `certificates` may hold a chain, in any order. */
  | { readonly ok: true; readonly key: KeyObject; readonly certificates: readonly X509Certificate[] }
  | { readonly ok: false; readonly problem: CredentialProblem };

export function certificateProblem(errorCode: CredentialProblem["errorCode"], source: CertificateFile, rule: string) {
  return { ok: false, problem: { errorCode, text: `${source.field}.file: ${source.file}: ${rule}` } } as const;
}

export function unusable(source: CertificateFile, rule: string) {
  return certificateProblem("CERTIFICATE_UNUSABLE", source, rule);
}

/** For a failed decryption: a wrong password and a damaged file look alike. */
export function wrongPassword(source: CertificateFile) {
  const rule =
    source.password === undefined
      ? `its key is encrypted, and ${source.field}.password is not set`
      : `${source.field}.password does not open it`;
  return certificateProblem("CERTIFICATE_PASSWORD_WRONG", source, rule);
}
