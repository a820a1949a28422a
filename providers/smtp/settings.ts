import { createPrivateKey } from "node:crypto";
import { z } from "zod";
import { fromMapping, routing, smtpTimeouts } from "../settings.ts";

const dkim = z
  .strictObject({
    /** The domain that signs (`d=`): the From's own, or one above it. */
    domainName: z.string().min(1),
    /** The key's name (`s=`): its public half is the TXT record `<keySelector>._domainkey.<domainName>`. */
    keySelector: z.string().min(1),
    /** RSA private key, PEM. A secret. */
    privateKey: z.string().refine(isRsaKey, "is not an RSA private key in PEM").optional(),
    /** File with the key, in place of it. */
    privateKeyFile: z.string().min(1).optional(),
  })
  .refine(
    ({ privateKey, privateKeyFile }) => (privateKey === undefined) !== (privateKeyFile === undefined),
    "exactly one of privateKey and privateKeyFile is needed",
  );

/** Settings of a provider of kind `smtp`. */
export const settings = z
  .strictObject({
    kind: z.literal("smtp"),
    ...routing(),
    from: fromMapping,
    host: z.string().min(1),
    /** 587 for submission with STARTTLS; 465 goes with `tls: implicit`, 25 with a relay of one's own. */
    port: z.int().min(1).max(65_535).default(587),
    /**
     * `implicit`: from the first byte. `required`: STARTTLS or nothing. `optional`: STARTTLS where it is offered, and
     * credentials only then. `none`: never, and credentials all the same.
     */
    tls: z.enum(["implicit", "required", "optional", "none"]).default("required"),
    /** `auto`: none without a user, `xoauth2` with an access token, else what the server offers. */
    auth: z.enum(["auto", "none", "plain", "login", "cram-md5", "xoauth2"]).default("auto"),
    user: z.string().min(1).optional(),
    /** A secret. */
    password: z.string().min(1).optional(),
    /** OAuth token for XOAUTH2, where something else keeps it fresh. A secret. */
    accessToken: z.string().min(1).optional(),
    /** Further certificate authorities, PEM text or path of a PEM file. */
    ca: z.string().min(1).optional(),
    /** Name that the server's certificate is for, where it is not the host. */
    servername: z.string().min(1).optional(),
    minTlsVersion: z.enum(["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]).default("TLSv1.2"),
    /** Name to say in EHLO; the host name of this machine, where not given. */
    name: z.string().regex(/^\S+$/, "must not hold spaces").optional(),
    /** Connections, and so attempts, at once. */
    connections: z.int().min(1).max(1_000).default(10),
    /** Largest message in bytes of MIME. The server's own SIZE counts too. 25 MB is what most hosts and Postfix setups take. */
    maxMessageBytes: z
      .int()
      .positive()
      .default(25 * 1024 * 1024),
    /** Recipients of one message. RFC 5321 4.5.3.1.8 has every server take 100. */
    maxRecipients: z.int().positive().default(100),
    /** How long an unused connection is kept, in milliseconds; 0 keeps none. */
    idleMs: z.int().min(0).max(3_600_000).default(30_000),
    /** Messages after which a connection is closed. */
    messagesPerConnection: z.int().min(1).default(100),
    /** Signs each message for a domain, after its From was mapped. */
    dkim: dkim.optional(),
    timeouts: smtpTimeouts,
  })
  .superRefine((value, context) => {
    const lacks = (name: "user" | "password" | "accessToken", why: string): void => {
      if (value[name] === undefined) context.addIssue({ code: "custom", path: [name], message: `is missing: ${why}` });
    };
    const { auth, user, password, accessToken } = value;
    if (auth === "none") return;
    if (auth === "xoauth2") {
      lacks("user", "auth is xoauth2");
      lacks("accessToken", "auth is xoauth2");
    } else if (auth !== "auto") {
      lacks("user", `auth is ${auth}`);
      lacks("password", `auth is ${auth}`);
    } else if (user !== undefined && accessToken === undefined) {
      lacks("password", "user is set");
    } else if (password !== undefined || accessToken !== undefined) {
      lacks("user", password === undefined ? "accessToken is set" : "password is set");
    }
  });

export type SmtpSettings = z.output<typeof settings>;

/** Whether a text is a key that DKIM can sign with (RFC 6376: rsa-sha256). */
export function isRsaKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === "rsa";
  } catch {
    return false;
  }
}
