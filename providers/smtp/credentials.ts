import type { Failure, SendOptions } from "../../src/core/index.ts";

/** What a connection signs in with. */
export type Credentials =
  | {
      readonly kind: "password";
      readonly user: string;
      readonly password: string;
      /** Null: the first the server offers of PLAIN, LOGIN and CRAM-MD5. */
      readonly mechanism: "PLAIN" | "LOGIN" | "CRAM-MD5" | null;
    }
  | { readonly kind: "xoauth2"; readonly user: string; readonly accessToken: string };

/** Credentials that could not be had, such as a token that Entra ID refused. */
export type NoCredentials = { readonly kind: "none"; readonly failure: Failure };

/**
 * Gives the credentials for a connection that is about to be opened. It reports its own stage (`token`) and ends when
 * the signal aborts.
 */
export type CredentialsSource = (options: SendOptions) => Promise<Credentials | NoCredentials>;

/** The initial response of SASL XOAUTH2 (Microsoft Learn, "Authenticate an IMAP, POP or SMTP connection using OAuth"). */
export function xoauth2Response(user: string, accessToken: string): string {
  return base64(`user=${user}\u0001auth=Bearer ${accessToken}\u0001\u0001`);
}

/** Every form in which these credentials go over the wire, and in which a server could echo them. Longest first. */
export function secretForms(credentials: Credentials): readonly string[] {
  const forms =
    credentials.kind === "xoauth2"
      ? [xoauth2Response(credentials.user, credentials.accessToken), credentials.accessToken]
      : [
          base64(`\0${credentials.user}\0${credentials.password}`),
          base64(`${credentials.user}\0${credentials.user}\0${credentials.password}`),
          base64(credentials.password),
          credentials.password,
        ];
  return forms.filter((form) => form !== "");
}

/** Replaces each of these secrets in a text. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce((cleaned, secret) => cleaned.replaceAll(secret, "***"), text);
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
