import type { Clock } from "../core/index.ts";
import { createAuthority } from "./certificate.ts";
import type { CertificateAuthority } from "./certificate.ts";
import { GRAPH_RESOURCE } from "./defaults.ts";
import type { EntraServer } from "./entra.ts";
import type { ExchangeServer } from "./exchange.ts";
import type { HttpFault } from "./fault.ts";
import { DEFAULT_GRAPH_RULES } from "./graph-rules.ts";
import type { GraphRules } from "./graph-rules.ts";
import type { HttpRequest, HttpResponse } from "./http-message.ts";
import { startHttpServer } from "./http-server.ts";
import type { LabServer } from "./lab-server.ts";
import { filterMessages, sentFolder } from "./sent-folder.ts";

export type GraphOptions = {
  /** Whose tokens it takes. */
  readonly entra: Pick<EntraServer, "checkToken">;
  /** Whose accepted messages are in Sent Items. */
  readonly exchange: Pick<ExchangeServer, "accepted">;
  readonly host?: string;
  readonly port?: number;
  /** Signs the server's certificate; made anew where it is missing. */
  readonly authority?: CertificateAuthority;
  readonly rules?: Partial<GraphRules>;
  readonly clock?: Clock;
  readonly seed?: number;
};

/** Accepts no mail itself: `accepted` stays empty. */
export interface GraphServer extends LabServer<HttpFault> {
  /** Base address, `https://localhost:…`. */
  readonly url: string;
  readonly rules: GraphRules;
  /** Changes rules while it runs. */
  setRules(rules: Partial<GraphRules>): void;
}

const SENT_ITEMS = /^\/v1\.0\/users\/([^/]+)\/mailFolders\/sentitems\/messages$/i;
const DEFAULT_TOP = 10;

/** A stand-in for Microsoft Graph that lists the Sent Items of mailboxes of the lab's Exchange Online. */
export async function startGraph(options: GraphOptions): Promise<GraphServer> {
  const clock = options.clock ?? Date.now;
  const rules = { ...DEFAULT_GRAPH_RULES, ...options.rules };

  const answer = (request: HttpRequest): HttpResponse => {
    const mailbox = SENT_ITEMS.exec(request.path)?.[1];
    if (mailbox === undefined) return refuse(404, "ResourceNotFound", "Resource could not be discovered.");
    if (request.method !== "GET") return refuse(405, "Request_BadRequest", "Specified HTTP method is not allowed.");
    const claims = options.entra.checkToken(/^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "");
    if (claims === null) return refuse(401, "InvalidAuthenticationToken", "Access token is empty or has expired.");
    if (claims.audience !== GRAPH_RESOURCE) {
      return refuse(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.");
    }
    return list(decodeURIComponent(mailbox).toLowerCase(), request.query);
  };

  const list = (mailbox: string, query: URLSearchParams): HttpResponse => {
    if (rules.readable !== null && !rules.readable.includes(mailbox)) {
      return refuse(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.");
    }
    if (rules.mailboxes !== null && !rules.mailboxes.includes(mailbox)) {
      return refuse(404, "ErrorInvalidUser", `The requested user '${mailbox}' is invalid.`);
    }
    const found = filterMessages(
      sentFolder(options.exchange.accepted, mailbox, rules, clock()),
      query.get("$filter") ?? "",
    );
    if (found === null) return refuse(400, "BadRequest", "Invalid filter clause.");
    const count = Math.min(Number(query.get("$top") ?? DEFAULT_TOP), rules.pageSize);
    const fields = new Set(["id", ...(query.get("$select") ?? "").split(",")]);
    const value = found
      .slice(0, count)
      .map((message) => Object.fromEntries(Object.entries(message).filter(([name]) => fields.has(name))));
    const next = found.length > count ? { "@odata.nextLink": `${url}/v1.0/next?$skip=${count}` } : {};
    return { status: 200, body: { "@odata.context": `${url}/v1.0/$metadata#messages`, value, ...next } };
  };

  const standIn = await startHttpServer<HttpFault>({
    name: "graph",
    host: options.host ?? "127.0.0.1",
    port: options.port ?? 0,
    clock,
    seed: options.seed ?? 1,
    onClear: () => {},
    authority: options.authority ?? (await createAuthority()),
    maxBodyBytes: 1_048_576,
    answer,
  });
  const url = `https://localhost:${standIn.port}`;
  return Object.assign(standIn, {
    url,
    rules,
    setRules: (changes: Partial<GraphRules>) => void Object.assign(rules, changes),
  });
}

function refuse(status: number, code: string, message: string): HttpResponse {
  return { status, body: { error: { code, message } } };
}
