import { smtp } from "../../providers/smtp/index.ts";
import type { Stage } from "../../src/core/index.ts";
import { startRelay } from "../../src/testing/index.ts";
import type { Bench, CertificateAuthority, ConformanceSubject, RelayOptions } from "../../src/testing/index.ts";
import { openSocketsTo } from "./client-sockets.ts";
import { impatientTimeouts, makeProvider } from "./made-provider.ts";
import { receivedMime, smtpFault, smtpTroubles } from "./smtp-faults.ts";

const USER = "contoso";
const PASSWORD = "a-password-of-the-suite";
const MAX_BYTES = 25 * 1024 * 1024;

export type SmtpVariant = {
  readonly tls: "none" | "starttls" | "implicit";
  readonly auth: "none" | "plain" | "login" | "cram-md5" | "xoauth2";
  readonly relay?: RelayOptions;
};

const GREETING = {
  none: ["greeting", "ehlo"],
  starttls: ["greeting", "ehlo", "starttls"],
  implicit: ["tls", "greeting", "ehlo"],
} as const;

/** The provider `smtp` in one of its ways to connect and to sign in, against the lab's relay. */
export function smtpSubject(authority: CertificateAuthority, { tls, auth, relay }: SmtpVariant): ConformanceSubject {
  const verifyStages: Stage[] = ["dns", "connect", ...GREETING[tls], ...(auth === "none" ? [] : ["auth" as const])];
  const stages: Stage[] = [...verifyStages, "mail", "rcpt", "data", "content", "reply"];
  return {
    kind: "smtp",
    rules: smtp.rules,
    stages,
    verifyStages,
    troubles: smtpTroubles(stages),
    from: "noreply@contoso.com",
    unwanted: ["unknown@example.com", "unknown@example.org"],
    open: async ({ impatient }): Promise<Bench> => {
      const server = await startRelay({ ...relay, authority, tls, maxMessageBytes: MAX_BYTES, ...accountsOf(auth) });
      const secrets = auth === "none" ? [] : [PASSWORD];
      const made = makeProvider(smtp, {
        host: "localhost",
        port: server.port,
        tls: tls === "starttls" ? "required" : tls,
        ca: authority.ca,
        auth,
        ...(auth === "none" ? {} : { user: USER, [auth === "xoauth2" ? "accessToken" : "password"]: PASSWORD }),
        connections: 2,
        ...(impatient ? { timeouts: impatientTimeouts } : {}),
      });
      return {
        ...made,
        secrets,
        received: () => server.accepted.map(receivedMime),
        connectionCount: () => openSocketsTo([server.port]),
        fail: (at, trouble) => server.setFault(smtpFault(at, trouble, secrets)),
        mend: () => server.setFault(null),
        close: () => server.close(),
      };
    },
  };
}

function accountsOf(auth: SmtpVariant["auth"]): RelayOptions {
  if (auth === "none") return {};
  return auth === "xoauth2" ? { tokens: { [USER]: PASSWORD } } : { users: { [USER]: PASSWORD } };
}
