import type { Rule } from "../../src/core/index.ts";

const source = "Mailover's own check of the file, before anything is asked of Entra ID";

/** What is wrong with the credential on our own disk. The error codes are those of `CredentialProblem`. */
export const credentialRules: readonly Rule[] = [
  {
    id: "credential-file-unreadable",
    when: { stage: "token", errorCode: "CREDENTIAL_FILE_UNREADABLE" },
    cause: "auth",
    meaning: "the file with the app's certificate or federated token cannot be read",
    remedy: "Mount the file named in the reason and let Mailover's user read it; it is read again at each request.",
    source,
  },
  {
    id: "certificate-password-wrong",
    when: { stage: "token", errorCode: "CERTIFICATE_PASSWORD_WRONG" },
    cause: "auth",
    meaning: "the password in the settings does not open the certificate's private key",
    remedy: "Set certificate.password to the password the file was exported with, or export it again.",
    source,
  },
  {
    id: "certificate-unusable",
    when: { stage: "token", errorCode: "CERTIFICATE_UNUSABLE" },
    cause: "auth",
    meaning: "the certificate's file does not hold an RSA private key and the certificate that belongs to it",
    remedy:
      "Export the certificate with its private key, as PFX (.pfx) or as PEM, and name that file in certificate.file.",
    source,
  },
  {
    id: "certificate-not-yet-valid",
    when: { stage: "token", errorCode: "CERTIFICATE_NOT_YET_VALID" },
    cause: "auth",
    meaning: "the app's certificate is not valid yet, or the clock of this machine is slow",
    remedy: "Check this machine's clock (timedatectl); if it is right, use the certificate that is valid today.",
    source,
  },
  {
    id: "certificate-expired",
    when: { stage: "token", errorCode: "CERTIFICATE_EXPIRED" },
    cause: "auth",
    meaning: "the app's certificate has expired",
    remedy:
      "Make a new certificate, upload it (Entra admin centre > App registrations > {app} > Certificates & secrets > Certificates) and replace the file named in certificate.file.",
    source,
  },
];
