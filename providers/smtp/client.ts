import type { Socket } from "node:net";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import type { SMTPConnectionAuth, SMTPConnectionCustomAuthContext } from "nodemailer/lib/smtp-connection";
import { xoauth2Response } from "./credentials.ts";
import type { Credentials } from "./credentials.ts";
import { tlsOptions } from "./dial.ts";
import type { Target } from "./dial.ts";
import type { Dialogue } from "./dialogue.ts";

export type ConnectionOptions = Target & {
  /** Name for EHLO; null: the name of this machine. */
  readonly name: string | null;
};

/** nodemailer's own limits are put out of the way: ours are by stage, and an idle connection is the pool's to end. */
const NEVER_MS = 2_147_483_647;

/** A reply larger than this is no reply. */
const MAX_REPLY_BYTES = 65_536;

/** Name of our own handler of XOAUTH2: nodemailer's hides the server's reason when it answers 334, and asks for a token. */
const XOAUTH2 = "MAILOVER-XOAUTH2";

/** nodemailer has no NOOP; but a handler of AUTH may send any command. */
const NOOP = "MAILOVER-NOOP";

/** nodemailer's protocol client over a socket that is connected, and encrypted where TLS is implicit. */
export function createClient(options: ConnectionOptions, socket: Socket, logger: Dialogue["logger"]): SMTPConnection {
  const { host, port, name, tls } = options;
  return new SMTPConnection({
    connection: socket,
    host,
    port,
    secure: tls === "implicit",
    secured: tls === "implicit",
    requireTLS: tls === "required",
    opportunisticTLS: tls === "optional",
    ignoreTLS: tls === "none",
    tls: tlsOptions(options),
    ...(name === null ? {} : { name }),
    logger,
    transactionLog: true,
    customAuth: { [XOAUTH2]: authenticateXoauth2, [NOOP]: sendNoop },
    connectionTimeout: NEVER_MS,
    greetingTimeout: NEVER_MS,
    socketTimeout: NEVER_MS,
    socketCloseTimeout: 0,
    maxResponseSize: MAX_REPLY_BYTES,
  });
}

/** What the client's `login` takes. */
export function loginOf(credentials: Credentials): SMTPConnectionAuth {
  if (credentials.kind === "xoauth2") {
    return { method: XOAUTH2, user: credentials.user, pass: credentials.accessToken };
  }
  return { method: credentials.mechanism ?? false, user: credentials.user, pass: credentials.password };
}

/**
 * XOAUTH2 with an initial response. Where the server answers 334 with its reason (Google), an empty line brings the
 * final reply.
 */
async function authenticateXoauth2(context: SMTPConnectionCustomAuthContext): Promise<void> {
  const { user, pass } = context.auth.credentials;
  let reply = await context.sendCommand(`AUTH XOAUTH2 ${xoauth2Response(user, pass)}`);
  if (reply.status === 334) reply = await context.sendCommand("");
  if (reply.status !== 235) throw new Error("XOAUTH2 was refused");
}

/** Asks the server for a sign of life. */
export function noop(client: SMTPConnection, done: (error: Error | null) => void): void {
  client.login({ method: NOOP }, (error) => done(error));
}

async function sendNoop(context: SMTPConnectionCustomAuthContext): Promise<void> {
  const reply = await context.sendCommand("NOOP");
  if (reply.status !== 250) throw new Error("NOOP was refused");
}
