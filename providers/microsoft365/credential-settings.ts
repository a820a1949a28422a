import { z } from "zod";

/** The ways in which an app proves who it is; a credential is one of them. */
const WAYS = ["clientSecret", "certificate", "federatedTokenFile"] as const;

const certificate = z.strictObject({
  /** Certificate with its RSA private key: PFX (.pfx, .p12) or PEM. Read again at each request for a token. */
  file: z.string().min(1),
  /** Opens a PFX or an encrypted PEM key. A secret. */
  password: z.string().min(1).optional(),
});

/** The settings of one credential. */
export const credentialShape = {
  /** Value (not the ID) of a client secret. A secret. */
  clientSecret: z.string().min(1).optional(),
  /** When the client secret expires, as the admin centre shows it: nobody else tells us in time. */
  secretExpiresAt: z
    .string()
    .refine(isInstant, "is neither a date such as 2027-01-31 nor an instant such as 2027-01-31T12:00:00Z")
    .optional(),
  certificate: certificate.optional(),
  /** File with a token that Entra ID takes in place of a secret (workload identity). Read again at each request. */
  federatedTokenFile: z.string().min(1).optional(),
};

const credential = z.strictObject(credentialShape);
export type CredentialSettings = z.output<typeof credential>;

/** A second credential, for the time in which one takes over from the other. */
export const nextCredential = credential.superRefine((value, context) => {
  for (const problem of credentialProblems(value)) context.addIssue({ code: "custom", ...problem });
});

/** 32 bytes in base64, as `openssl rand -base64 32` writes them. */
export const sharedTokenKey = z
  .string()
  .regex(
    /^[A-Za-z0-9+/]{43}=$/,
    "is not 32 bytes in base64, of 44 characters; make a key with: openssl rand -base64 32",
  );

/** What is wrong with the settings as those of one credential. */
export function credentialProblems(value: CredentialSettings): { readonly path: string[]; readonly message: string }[] {
  const problems: { path: string[]; message: string }[] = [];
  const ways = WAYS.filter((way) => value[way] !== undefined);
  if (ways.length !== 1) {
    const found =
      ways.length === 0 ? "none is set" : `${ways.join(" and ")} are set; a second one belongs into nextCredential`;
    problems.push({
      path: [ways[1] ?? "clientSecret"],
      message: `exactly one of clientSecret, certificate and federatedTokenFile is needed, ${found}`,
    });
  }
  if (value.secretExpiresAt !== undefined && value.clientSecret === undefined) {
    problems.push({ path: ["secretExpiresAt"], message: "means nothing without clientSecret" });
  }
  return problems;
}

/** A day, or an instant with its zone: one without would be another on each machine. */
function isInstant(text: string): boolean {
  return z.iso.date().safeParse(text).success || z.iso.datetime({ offset: true }).safeParse(text).success;
}
