import { describe } from "vitest";
import { createAuthority } from "../../src/testing/index.ts";
import { smtpSubject } from "./smtp-subject.ts";
import type { SmtpVariant } from "./smtp-subject.ts";
import { testConformance } from "./suite.ts";

const authority = await createAuthority();

const variants: readonly [name: string, variant: SmtpVariant][] = [
  ["STARTTLS and PLAIN", { tls: "starttls", auth: "plain" }],
  ["implicit TLS and CRAM-MD5", { tls: "implicit", auth: "cram-md5" }],
  ["no TLS, no account, no extensions", { tls: "none", auth: "none", relay: { extensions: [] } }],
];

describe.each(variants)("smtp with %s", (_name, variant) => {
  testConformance(smtpSubject(authority, variant));
});
