import { request } from "node:https";
import type { Agent } from "node:https";
import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from "@azure/msal-node";

/** What the latest request came to. */
export type JsonExchange =
  | {
      readonly kind: "answered";
      readonly host: string;
      readonly httpStatus: number;
      readonly headers: Readonly<Record<string, string>>;
      /** The body as JSON, or null where it is none. */
      readonly json: object | null;
    }
  | {
      readonly kind: "failed";
      readonly host: string;
      /** Code of Node: "ECONNREFUSED", "ENOTFOUND", "DEPTH_ZERO_SELF_SIGNED_CERT"; "UNKNOWN" where it gives none. */
      readonly errorCode: string;
      readonly text: string;
    };

/** An answer of a token endpoint is a few kilobytes; a proxy's page may be more, and nobody reads it. */
const maxTokenAnswerBytes = 1_000_000;

/**
 * The requests of one flight for a token, or of one question to Graph. MSAL's own client has no time limit for its POST, cannot be given a CA, and
 * loses the system's error code, the HTTP status of a body that is not JSON, and Retry-After; `latest` keeps them.
 */
export class NetworkClient implements INetworkModule {
  readonly #agent: Agent;
  readonly #signal: AbortSignal;
  readonly #maxAnswerBytes: number;
  latest: JsonExchange | null = null;

  /** `signal` ends a request under way; its reason is an error whose `code` becomes the exchange's. */
  constructor(agent: Agent, signal: AbortSignal, maxAnswerBytes = maxTokenAnswerBytes) {
    this.#agent = agent;
    this.#signal = signal;
    this.#maxAnswerBytes = maxAnswerBytes;
  }

  sendGetRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return this.#exchange<T>("GET", url, options);
  }

  sendPostRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return this.#exchange<T>("POST", url, options);
  }

  async #exchange<T>(method: string, url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    const { host } = new URL(url);
    const answer = await this.#send(method, url, options).catch((error: unknown) => {
      this.latest = { kind: "failed", host, ...describe(error) };
      throw error;
    });
    const json = parseJson(answer.body);
    this.latest = { kind: "answered", host, httpStatus: answer.httpStatus, headers: answer.headers, json };
    if (json === null) throw new Error(`HTTP ${answer.httpStatus} without JSON`);
    return { status: answer.httpStatus, headers: answer.headers, body: json as T };
  }

  #send(
    method: string,
    url: string,
    options: NetworkRequestOptions = {},
  ): Promise<{ httpStatus: number; headers: Record<string, string>; body: string }> {
    const body = options.body ?? "";
    return new Promise((resolve, reject) => {
      this.#signal.throwIfAborted();
      const outgoing = request(url, {
        method,
        agent: this.#agent,
        headers: { ...options.headers, ...(method === "POST" ? { "content-length": Buffer.byteLength(body) } : {}) },
      });
      const fail = (error: unknown) => {
        reject(error as Error);
        outgoing.destroy();
      };
      const onAbort = () => fail(this.#signal.reason);
      this.#signal.addEventListener("abort", onAbort, { once: true });
      outgoing.on("close", () => this.#signal.removeEventListener("abort", onAbort));
      outgoing.on("error", reject);
      outgoing.on("response", (incoming) => {
        const chunks: Buffer[] = [];
        let sizeBytes = 0;
        incoming.on("data", (chunk: Buffer) => {
          sizeBytes += chunk.length;
          if (sizeBytes > this.#maxAnswerBytes) fail(overlong(this.#maxAnswerBytes));
          else chunks.push(chunk);
        });
        incoming.on("error", reject);
        incoming.on("end", () =>
          resolve({
            httpStatus: incoming.statusCode ?? 0,
            headers: flatten(incoming.headers),
            body: Buffer.concat(chunks).toString("utf8"),
          }),
        );
      });
      outgoing.end(method === "POST" ? body : undefined);
    });
  }
}

/** With MSAL's code for an answer that is none. */
function overlong(maxBytes: number): Error {
  return Object.assign(new Error(`the answer is over ${maxBytes} bytes`), { code: "token_parsing_error" });
}

function flatten(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, [value].flat().join(", ")]],
    ),
  );
}

/** An object, or null: nothing else is an answer of a token endpoint. */
function parseJson(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

/** Where every address of a host failed, Node's error has a code but no message of its own. */
function describe(error: unknown): { errorCode: string; text: string } {
  const { code, message, errors } = error as { code?: string; message?: string; errors?: readonly Error[] };
  const errorCode = code ?? "UNKNOWN";
  const text = message || errors?.map((each) => each.message).join("; ") || errorCode;
  return { errorCode, text };
}
