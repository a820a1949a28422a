import { lookup } from "node:dns";
import type { LookupAddress } from "node:dns";
import { connect, isIP } from "node:net";
import type { LookupFunction, Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { SecureContext } from "node:tls";
import type { Evidence } from "../../src/core/index.ts";
import type { SmtpTimeouts } from "../settings.ts";
import { evidenceOf, interruptionEvidence } from "./evidence.ts";
import type { StageWatch } from "./stage-watch.ts";

export type TlsMode = "implicit" | "required" | "optional" | "none";

/** Where to connect to. */
export type Target = {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMode;
  readonly secureContext: SecureContext;
  /** Name the certificate must be for; null: the host. */
  readonly servername: string | null;
  readonly timeouts: SmtpTimeouts;
};

export type Dialled =
  | { readonly ok: true; readonly socket: Socket }
  | { readonly ok: false; readonly evidence: Evidence };

/** Time for an address of one family while the other one waits (RFC 8305 section 5). */
const OTHER_FAMILY_AFTER_MS = 250;

/**
 * Opens a socket in the stages `dns`, `connect` and, for implicit TLS, `tls`. nodemailer would do this too, but as one
 * step with one error and one time limit.
 */
export function dial(target: Target, watch: StageWatch, signal: AbortSignal): Promise<Dialled> {
  const { host, port, timeouts } = target;
  return new Promise((resolve) => {
    let socket: Socket | null = null;
    let settled = false;
    const settle = (dialled: Dialled): void => {
      if (settled) return;
      settled = true;
      signal.removeEventListener("abort", onAbort);
      watch.rest();
      if (!dialled.ok) socket?.destroy();
      resolve(dialled);
    };
    const fail = (error: unknown): void => settle({ ok: false, evidence: evidenceOf(error, watch.stage, []) });
    const onAbort = (): void => settle({ ok: false, evidence: interruptionEvidence(signal.reason, watch.stage) });

    watch.onOverdue = (text) => fail({ code: "ETIMEDOUT", message: text });
    watch.restart("dns", { ms: timeouts.dnsMs, awaited: `address for ${host}` });
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });

    lookup(host, { all: true }, (error, addresses) => {
      if (settled) return;
      if (error !== null) return fail(error);
      watch.begin("connect", { ms: timeouts.connectMs, awaited: `connection to ${host}:${port}` });
      // Whoever was told of the stage may have stopped it there and then.
      if (settled) return;
      socket = connect({ host, port, noDelay: true, keepAlive: true, ...inTurn(addresses, timeouts.connectMs) });
      // Stays for good: an error after the socket was given up, or handed over, is not the process's end.
      socket.on("error", fail);
      socket.once("connect", () => {
        if (settled || socket === null) return;
        if (target.tls !== "implicit") return settle({ ok: true, socket });
        watch.begin("tls", { ms: timeouts.tlsMs, awaited: `TLS handshake with ${host}:${port}` });
        const plain = socket;
        const secure = connectTls({ ...tlsOptions(target), socket: plain });
        socket = secure;
        secure.on("error", fail);
        secure.once("secureConnect", () => settle({ ok: true, socket: secure }));
      });
    });
  });
}

/** What a handshake is held to, at once or after STARTTLS. */
export function tlsOptions(target: Target): { host: string; secureContext: SecureContext; servername?: string } {
  // SNI carries names only (RFC 6066 section 3); an address is checked against the certificate all the same.
  const servername = target.servername ?? (isIP(target.host) === 0 ? target.host : null);
  return { host: target.host, secureContext: target.secureContext, ...(servername === null ? {} : { servername }) };
}

/** Tries the addresses one after the other. Those of a single family share the time; a second family starts soon. */
function inTurn(addresses: readonly LookupAddress[], connectMs: number): object {
  const lookupKnown: LookupFunction = (_host, _options, callback) => callback(null, [...addresses]);
  const oneFamily = new Set(addresses.map(({ family }) => family)).size === 1;
  const share = Math.max(OTHER_FAMILY_AFTER_MS, Math.floor(connectMs / Math.max(1, addresses.length)));
  return {
    lookup: lookupKnown,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: oneFamily ? share : OTHER_FAMILY_AFTER_MS,
  };
}
