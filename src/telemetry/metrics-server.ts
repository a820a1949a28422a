import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Metrics } from "./metrics.ts";

const PATH = "/metrics";

/** A page with the metrics that is being served. */
export type MetricsServer = {
  readonly url: string;
  close(): Promise<void>;
};

/** Serves the metrics at `/metrics`. Throws a sentence for the operator where it cannot listen there. */
export async function serveMetrics(
  metrics: Metrics,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    void answer(metrics, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(cannotListen(host, port, error)));
    server.listen({ host, port }, resolve);
  });
  const { port: actualPort } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${actualPort}${PATH}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(metrics: Metrics, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url?.split("?")[0];
  if (path !== PATH || (request.method !== "GET" && request.method !== "HEAD")) {
    response.writeHead(404, { "Content-Type": "text/plain" }).end(`GET ${PATH}\n`);
    return;
  }
  const text = await metrics.text();
  response.writeHead(200, { "Content-Type": metrics.contentType }).end(request.method === "HEAD" ? undefined : text);
}

function cannotListen(host: string, port: number, error: NodeJS.ErrnoException): Error {
  const why = error.code === "EADDRINUSE" ? "somebody listens there already" : error.message;
  return new Error(
    `metrics.port: ${port} on ${host} cannot be had: ${why}. Each gateway on a machine needs a port of its own: ` +
      "set another one, as by MAILOVER_METRICS_PORT, or null for none",
  );
}
