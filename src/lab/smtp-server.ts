import { createServer } from "node:net";
import { createSecureContext } from "node:tls";
import type { CertificateAuthority } from "./certificate.ts";
import type { SmtpFault } from "./fault.ts";
import { headerOf } from "./mime-header.ts";
import type { SmtpPolicy } from "./smtp-policy.ts";
import { SmtpSession } from "./smtp-session.ts";
import { StandIn } from "./stand-in.ts";
import type { StandInOptions } from "./stand-in.ts";

export type SmtpServerOptions = Omit<StandInOptions, "ca"> & {
  readonly policy: SmtpPolicy;
  readonly tls:
    | { readonly mode: "none" }
    | { readonly mode: "starttls" | "implicit"; readonly authority: CertificateAuthority };
};

/** Starts an SMTP server that answers by a policy. */
export async function startSmtpServer({ policy, tls, ...options }: SmtpServerOptions): Promise<StandIn<SmtpFault>> {
  const sessionTls = tls.mode === "none" ? tls : { mode: tls.mode, context: createSecureContext(tls.authority.server) };
  const server = createServer();
  const standIn = await StandIn.start<SmtpFault>(server, {
    ...options,
    ca: tls.mode === "none" ? null : tls.authority.ca,
  });
  server.on("connection", (socket) => {
    const connection = standIn.connectionCount;
    const session = new SmtpSession(socket, {
      connection,
      policy,
      faults: standIn.faultSwitch,
      tls: sessionTls,
      connections: () => standIn.connections,
      onAccepted: ({ mailFrom, rcptTo, content }, remoteId, { user }) =>
        standIn.accept({
          mailFrom,
          rcptTo,
          messageId: headerOf(content, "Message-ID"),
          mailoverId: headerOf(content, "X-Mailover-Id"),
          content,
          remoteId,
          user,
        }),
      onLine: (from, text) => standIn.note(connection, from, text),
    });
    standIn.track(session.run());
  });
  return standIn;
}
