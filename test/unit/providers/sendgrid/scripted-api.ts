import { createServer as createHttpServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { KeyPair } from "../../../../src/lab/certificate.ts";

export type ScriptedAnswer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is, anything else as JSON. */
  readonly body?: unknown;
};

/** What the API does with a request: answers, says nothing, or hangs up. */
export type ScriptedStep =
  | ScriptedAnswer
  | "silence"
  | "drop"
  /** Sends the head of this answer and half its body, then hangs up. */
  | { readonly cut: ScriptedAnswer };

export type ReceivedRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  readonly json: unknown;
};

export type ScriptedApi = {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly ReceivedRequest[];
  readonly connectionCount: () => number;
  /** Ends with the next request that has come in whole. */
  readonly received: () => Promise<ReceivedRequest>;
  readonly close: () => Promise<void>;
};

export const accepted: ScriptedAnswer = { status: 202, headers: { "x-message-id": "sg-1" } };

/** A stand-in for SendGrid's API that does as it is told; its last step is repeated. */
export async function startScriptedApi(
  steps: readonly ScriptedStep[] | ((request: ReceivedRequest) => ScriptedStep),
  tls?: KeyPair,
): Promise<ScriptedApi> {
  const requests: ReceivedRequest[] = [];
  const waiting: ((request: ReceivedRequest) => void)[] = [];
  let connectionCount = 0;
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("error", () => {});
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      const received = {
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        text,
        json: text === "" ? null : (JSON.parse(text) as unknown),
      };
      const step = typeof steps === "function" ? steps(received) : steps[Math.min(requests.length, steps.length - 1)]!;
      requests.push(received);
      for (const resolve of waiting.splice(0)) resolve(received);
      perform(step, request, response);
    });
  };
  const server: Server = tls === undefined ? createHttpServer(listener) : createHttpsServer(tls, listener);
  server.on("connection", () => (connectionCount += 1));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    port,
    requests,
    connectionCount: () => connectionCount,
    received: () => new Promise((resolve) => waiting.push(resolve)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function perform(step: ScriptedStep, request: IncomingMessage, response: ServerResponse): void {
  if (step === "silence") return;
  if (step === "drop") {
    request.socket.destroy();
    return;
  }
  const { status, headers = {}, body = "" } = "cut" in step ? step.cut : step;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const type = typeof body === "string" ? "text/html" : "application/json";
  if ("cut" in step) {
    response.writeHead(status, { "content-type": type, "content-length": "1000", ...headers });
    response.write(text, () => request.socket.destroy());
    return;
  }
  response.writeHead(status, { "content-type": type, ...headers });
  response.end(text);
}
