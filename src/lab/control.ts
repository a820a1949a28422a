import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { parseFault } from "./fault-parser.ts";
import type { FaultKind } from "./fault-parser.ts";
import type { Fault } from "./fault.ts";
import { readRequest, writeResponse } from "./http-message.ts";
import type { HttpRequest, HttpResponse } from "./http-message.ts";
import { parseJson } from "./json-value.ts";
import { LAB_SERVERS } from "./lab.ts";
import type { Lab, LabServerName } from "./lab.ts";
import type { LabServer } from "./lab-server.ts";
import { Listener } from "./listener.ts";
import type { AcceptedMessage } from "./mailbag.ts";

/** What the control API says of one server. */
export type ServerState = {
  readonly host: string;
  readonly port: number;
  readonly faults: readonly Fault[];
  readonly acceptedCount: number;
  readonly connections: number;
};

/** An accepted message as JSON, its content in base64. */
export type AcceptedJson = Omit<AcceptedMessage, "content"> & { readonly content: string };

/** Answers of the control API. */
export type LabState = { readonly servers: Readonly<Record<LabServerName, ServerState>> };
export type FaultsAnswer = { readonly faults: readonly Fault[] };
export type AcceptedAnswer = { readonly accepted: readonly AcceptedJson[] };
export type ErrorAnswer = { readonly error: string };

export type ControlServer = { readonly url: string; readonly port: number; close(): Promise<void> };

const FAULT_KINDS: Readonly<Record<LabServerName, FaultKind>> = {
  entra: "entra",
  exchange: "smtp",
  graph: "http",
  sendgrid: "http",
  relay: "smtp",
};

const MAX_BODY_BYTES = 1_048_576;
/** Newest messages told at once, unless asked for another number. */
const DEFAULT_ACCEPTED_COUNT = 100;

/** Serves the control API of a lab on loopback: state, faults, accepted messages. Closing it leaves the lab running. */
export async function startControl(lab: Lab, address: { host?: string; port?: number } = {}): Promise<ControlServer> {
  const server = createServer((incoming, outgoing) => void handle(lab, incoming, outgoing));
  const listener = await Listener.open(server, { host: address.host ?? "127.0.0.1", port: address.port ?? 0 });
  return {
    url: `http://${listener.host}:${listener.port}`,
    port: listener.port,
    close: () => listener.close(),
  };
}

async function handle(lab: Lab, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  // A reset by the client is an end like any other.
  outgoing.on("error", () => {});
  const request = await readRequest(incoming, MAX_BODY_BYTES);
  if (request !== null) writeResponse(outgoing, await answer(lab, request));
}

async function answer(lab: Lab, request: HttpRequest): Promise<HttpResponse> {
  const [area = "", name = "", ...rest] = request.path.slice(1).split("/");
  if (area === "" && request.method === "GET") return json(200, stateOf(lab));
  const route = `${request.method} /${area}`;
  if (rest.length > 0 || !["PUT /faults", "DELETE /faults", "GET /accepted"].includes(route)) {
    return problem(404, `${request.method} ${request.path}: there is no such route`);
  }
  const server = LAB_SERVERS.find((known) => known === name);
  if (server === undefined) return problem(404, `server: "${name}" is none of ${LAB_SERVERS.join(", ")}`);
  if (route === "GET /accepted") return acceptedBy(lab[server], request.query.get("limit"));
  return setFaults(lab[server], FAULT_KINDS[server], route === "DELETE /faults" ? [] : readFaults(request));
}

async function setFaults(
  server: LabServer,
  kind: FaultKind,
  values: readonly unknown[] | string,
): Promise<HttpResponse> {
  if (typeof values === "string") return problem(400, values);
  const faults: Fault[] = [];
  for (const value of values) {
    const parsed = parseFault(kind, value);
    if ("problem" in parsed) return problem(400, parsed.problem);
    faults.push(parsed.fault);
  }
  await server.setFaults(faults);
  return json(200, { faults: server.faults } satisfies FaultsAnswer);
}

/** One fault or a list of them; a sentence where the body is neither. */
function readFaults(request: HttpRequest): readonly unknown[] | string {
  const value = parseJson(request.body.toString("utf8"));
  if (value === undefined) return "body: is not JSON";
  return Array.isArray(value) ? (value as readonly unknown[]) : [value];
}

function acceptedBy(server: LabServer, limit: string | null): HttpResponse {
  const count = limit === null ? DEFAULT_ACCEPTED_COUNT : Number(limit);
  if (!Number.isSafeInteger(count) || count < 1) return problem(400, `limit: ${limit} is not a whole number from 1`);
  const accepted = server.accepted
    .slice(-count)
    .map((message) => ({ ...message, content: message.content.toString("base64") }));
  return json(200, { accepted } satisfies AcceptedAnswer);
}

function stateOf(lab: Lab): LabState {
  const state = ({ host, port, faults, accepted, connections }: LabServer): ServerState => ({
    host,
    port,
    faults,
    acceptedCount: accepted.length,
    connections,
  });
  return {
    servers: {
      entra: state(lab.entra),
      exchange: state(lab.exchange),
      graph: state(lab.graph),
      sendgrid: state(lab.sendgrid),
      relay: state(lab.relay),
    },
  };
}

function json(status: number, body: object): HttpResponse {
  return { status, body };
}

function problem(status: number, error: string): HttpResponse {
  return json(status, { error } satisfies ErrorAnswer);
}
