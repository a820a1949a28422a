import { randomBytes } from "node:crypto";
import type { Clock } from "../core/index.ts";
import { createAuthority } from "./certificate.ts";
import type { CertificateAuthority } from "./certificate.ts";
import type { SmtpFault } from "./fault.ts";
import type { LabServer } from "./lab-server.ts";
import { cramMd5Matches } from "./smtp-sasl.ts";
import type { Credentials, SaslMechanism } from "./smtp-sasl.ts";
import type { AuthVerdict, SmtpPolicy } from "./smtp-policy.ts";
import { startSmtpServer } from "./smtp-server.ts";

export type RelayOptions = {
  readonly name?: string;
  readonly host?: string;
  readonly port?: number;
  readonly tls?: "none" | "starttls" | "implicit";
  /** Without TLS, neither AUTH nor MAIL is allowed; only with `tls: "starttls"`. */
  readonly tlsRequired?: boolean;
  /** Signs the server's certificate; made anew where it is missing and TLS is on. */
  readonly authority?: CertificateAuthority;
  /** Passwords by user. With any, signing in is required. */
  readonly users?: Readonly<Record<string, string>>;
  /** Access tokens by user, for XOAUTH2. With any, signing in is required. */
  readonly tokens?: Readonly<Record<string, string>>;
  /** Mechanisms offered; all that `users` and `tokens` make possible, where not given. */
  readonly mechanisms?: readonly SaslMechanism[];
  /** Tells a refused XOAUTH2 by 334 and JSON first, as Google does. */
  readonly xoauth2Challenge?: boolean;
  /** Keywords of EHLO beside STARTTLS, AUTH and SIZE. */
  readonly extensions?: readonly string[];
  readonly maxMessageBytes?: number;
  readonly maxRecipients?: number;
  /** Connections at once; further ones are greeted with 421. */
  readonly maxConnections?: number;
  readonly clock?: Clock;
  readonly seed?: number;
};

export type RelayServer = LabServer<SmtpFault>;

const DEFAULT_EXTENSIONS = ["PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES"] as const;

/** A plain SMTP relay that answers as Postfix does. Takes mail for anyone but `unknown@` and `greylisted@`. */
export async function startRelay(options: RelayOptions = {}): Promise<RelayServer> {
  const mode = options.tls ?? "none";
  return startSmtpServer({
    name: options.name ?? "relay",
    host: options.host ?? "127.0.0.1",
    port: options.port ?? 0,
    policy: relayPolicy(options),
    tls: mode === "none" ? { mode } : { mode, authority: options.authority ?? (await createAuthority()) },
    clock: options.clock ?? Date.now,
    seed: options.seed ?? 1,
    onClear: () => {},
  });
}

function relayPolicy(options: RelayOptions): SmtpPolicy {
  const users = options.users ?? {};
  const tokens = options.tokens ?? {};
  const mechanisms = options.mechanisms ?? possibleMechanisms(users, tokens);
  const maxBytes = options.maxMessageBytes ?? 10_485_760;
  const maxRecipients = options.maxRecipients ?? 100;
  const signInRequired = Object.keys(users).length + Object.keys(tokens).length > 0;
  return {
    greeting: (connections) =>
      connections > (options.maxConnections ?? Infinity)
        ? "421 4.7.0 relay.lab.test Error: too many connections"
        : "220 relay.lab.test ESMTP",
    helloLine: () => "relay.lab.test",
    extensions: () => [...(options.extensions ?? DEFAULT_EXTENSIONS), `SIZE ${maxBytes}`],
    mechanisms: ({ secure }) => (options.tlsRequired === true && !secure ? [] : mechanisms),
    unknownMechanism: () => "504 5.5.4 Unrecognized authentication type",
    signedIn: "235 2.7.0 Authentication successful",
    authenticate: (credentials) => authenticate(credentials, users, tokens),
    xoauth2Challenge: options.xoauth2Challenge ?? false,
    mail: (_address, declaredSizeBytes, { secure, user }) => {
      if (options.tlsRequired === true && !secure) return "530 5.7.0 Must issue a STARTTLS command first";
      if (signInRequired && user === null) return "530 5.7.0 Authentication required";
      return (declaredSizeBytes ?? 0) > maxBytes ? TOO_LARGE : "250 2.1.0 Ok";
    },
    rcpt: (address, acceptedCount) => {
      if (/^unknown@/i.test(address)) {
        return `550 5.1.1 <${address}>: Recipient address rejected: User unknown in local recipient table`;
      }
      if (/^greylisted@/i.test(address)) return `450 4.2.0 <${address}>: Recipient address rejected: Greylisted`;
      return acceptedCount >= maxRecipients ? "452 4.5.3 Error: too many recipients" : "250 2.1.5 Ok";
    },
    startContent: "354 End data with <CR><LF>.<CR><LF>",
    maxBytes,
    content: ({ sizeBytes }) => {
      const remoteId = randomBytes(6).toString("hex").toUpperCase();
      return { reply: sizeBytes > maxBytes ? TOO_LARGE : `250 2.0.0 Ok: queued as ${remoteId}`, remoteId };
    },
    reset: "250 2.0.0 Ok",
    noop: "250 2.0.0 Ok",
    goodbye: "221 2.0.0 Bye",
  };
}

const TOO_LARGE = "552 5.3.4 Error: message file too big";
const AUTH_FAILED: AuthVerdict = { refusal: "535 5.7.8 Error: authentication failed" };

function authenticate(
  credentials: Credentials,
  users: Readonly<Record<string, string>>,
  tokens: Readonly<Record<string, string>>,
): AuthVerdict {
  const { user } = credentials;
  const secret = (credentials.mechanism === "XOAUTH2" ? tokens : users)[user];
  if (secret === undefined) return AUTH_FAILED;
  switch (credentials.mechanism) {
    case "CRAM-MD5":
      return cramMd5Matches(credentials.challenge, credentials.digest, secret) ? { user } : AUTH_FAILED;
    case "XOAUTH2":
      return credentials.token === secret ? { user } : AUTH_FAILED;
    default:
      return credentials.password === secret ? { user } : AUTH_FAILED;
  }
}

function possibleMechanisms(users: object, tokens: object): readonly SaslMechanism[] {
  return [
    ...(Object.keys(users).length > 0 ? (["PLAIN", "LOGIN", "CRAM-MD5"] as const) : []),
    ...(Object.keys(tokens).length > 0 ? (["XOAUTH2"] as const) : []),
  ];
}
