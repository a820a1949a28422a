import { createServer as createHttpServer } from "node:http";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import type { CertificateAuthority } from "./certificate.ts";
import type { EntraFault } from "./fault.ts";
import { readRequest, writeResponse } from "./http-message.ts";
import type { HttpRequest, HttpResponse } from "./http-message.ts";
import { StandIn } from "./stand-in.ts";
import type { StandInOptions } from "./stand-in.ts";

export type HttpServerOptions = Omit<StandInOptions, "ca"> & {
  /** With one the server speaks HTTPS, without it HTTP. */
  readonly authority: CertificateAuthority | null;
  readonly maxBodyBytes: number;
  /** Told of each request, whatever a fault makes of it. */
  readonly onRequest?: (request: HttpRequest) => void;
  /** What a request comes to, its effect included. Not asked where a fault has the request without effect. */
  readonly answer: (request: HttpRequest) => HttpResponse;
  /** The answer of an AADSTS number, where the server has such. */
  readonly aadsts?: (aadsts: number) => HttpResponse;
};

type Strike = Exclude<EntraFault, { kind: "refuse" } | { kind: "slow" }>;
type Delay = Extract<EntraFault, { kind: "slow" }>;

/** Starts a server for an HTTP API. */
export async function startHttpServer<F extends EntraFault>(options: HttpServerOptions): Promise<StandIn<F>> {
  const listener: RequestListener = (request, response) => {
    standIn.track(handle(standIn, options, request, response));
  };
  const server =
    options.authority === null ? createHttpServer(listener) : createHttpsServer(options.authority.server, listener);
  const standIn = await StandIn.start<F>(server, { ...options, ca: options.authority?.ca ?? null });
  return standIn;
}

async function handle<F extends EntraFault>(
  standIn: StandIn<F>,
  options: HttpServerOptions,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const connection = standIn.connectionCount;
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  // A reset by the client is an end like any other.
  outgoing.on("error", () => {});
  const request = await readRequest(incoming, options.maxBodyBytes);
  if (request === null) return;
  standIn.note(connection, "client", `${request.method} ${request.path} <${request.bodyBytes} bytes>`);

  options.onRequest?.(request);
  const fault = standIn.faultSwitch.strike(
    (fault: EntraFault): fault is Strike & F =>
      fault.kind !== "refuse" && fault.kind !== "slow" && concerns(fault, request),
  );
  const takesEffect = fault === null || ("accepted" in fault && fault.accepted === true);
  const usual = takesEffect ? options.answer(request) : null;
  const late = standIn.faultSwitch.strike(
    (fault: EntraFault): fault is Delay & F => fault.kind === "slow" && concerns(fault, request),
  );
  // The client's end cuts the wait short.
  if (late !== null) await delay(late.delayMs, undefined, { signal: gone.signal }).catch(() => {});

  switch (fault?.kind) {
    case "silence":
      return;
    case "drop":
      outgoing.destroy();
      return;
    case "garbage":
      standIn.note(connection, "server", "<garbage>");
      incoming.socket.end("H\u0000TP/9 ok?\r\n\u0015\u0003garbage\r\n\r\n");
      return;
    default: {
      const response = answerOf(fault ?? null, usual, options);
      standIn.note(connection, "server", String(response.status));
      writeResponse(outgoing, response);
    }
  }
}

function answerOf(fault: Strike | null, usual: HttpResponse | null, options: HttpServerOptions): HttpResponse {
  if (fault?.kind === "response") return fault;
  if (fault?.kind === "aadsts" && options.aadsts !== undefined) return options.aadsts(fault.aadsts);
  return usual ?? { status: 500 };
}

function concerns(fault: Exclude<EntraFault, { kind: "refuse" }>, request: HttpRequest): boolean {
  if (fault.kind === "aadsts") return request.method === "POST";
  return fault.path === undefined || request.path.includes(fault.path);
}
