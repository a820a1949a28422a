import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";

export type HttpRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Empty where it was larger than `maxBodyBytes`. */
  readonly body: Buffer;
  readonly bodyBytes: number;
};

export type HttpResponse = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is; anything else as JSON; absent: none. */
  readonly body?: unknown;
};

/** The whole request, or null where the client went away within it. */
export async function readRequest(incoming: IncomingMessage, maxBodyBytes: number): Promise<HttpRequest | null> {
  const chunks: Buffer[] = [];
  let bodyBytes = 0;
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      bodyBytes += chunk.length;
      if (bodyBytes <= maxBodyBytes) chunks.push(chunk);
    }
  } catch {
    return null;
  }
  const url = new URL(incoming.url ?? "/", "http://localhost");
  return {
    method: incoming.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    body: bodyBytes > maxBodyBytes ? Buffer.alloc(0) : Buffer.concat(chunks),
    bodyBytes,
  };
}

/** Answers and ends. */
export function writeResponse(outgoing: ServerResponse, { status, headers = {}, body }: HttpResponse): void {
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const type = typeof body === "string" ? "text/html" : "application/json";
  outgoing.writeHead(status, { ...(text === undefined ? {} : { "content-type": type }), ...headers });
  outgoing.end(text);
}
