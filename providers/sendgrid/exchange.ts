import http from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import type { SendOptions, Stage } from "../../src/core/index.ts";
import type { SendGridSettings } from "./settings.ts";

type Limits = SendGridSettings["timeouts"];

/** Why we gave an exchange up ourselves. */
export type Stop = { readonly errorCode: "ABORTED" | "ETIMEDOUT"; readonly text: string };

/** The head of an answer. It settles what became of the request, even where the body is cut off. */
export type AnswerHead = { readonly httpStatus: number; readonly headers: http.IncomingHttpHeaders };

/**
 * One HTTP request as seen from its socket: how far it came, and what ended it. The stage is read from the request's own
 * socket, as neither axios nor an agent tells which attempt a connection serves. A request counts as being out (`http`)
 * from the moment its bytes can leave: the end of the handshake of a new connection, or at once on one that is reused.
 */
export class Exchange {
  #stage: Stage = "queue";
  #stop: Stop | null = null;
  #head: AnswerHead | null = null;
  #over = false;
  #limitTimer: NodeJS.Timeout | undefined;
  readonly #totalTimer: NodeJS.Timeout;
  readonly #limits: Limits;
  readonly #options: SendOptions;
  readonly #controller = new AbortController();
  constructor(limits: Limits, options: SendOptions) {
    this.#limits = limits;
    this.#options = options;
    this.#totalTimer = setTimeout(() => this.#timeOut("the attempt took longer than", limits.totalMs), limits.totalMs);
    options.onStage("queue");
    if (options.signal.aborted) this.abort();
    else options.signal.addEventListener("abort", this.abort, { once: true });
  }

  get stage(): Stage {
    return this.#stage;
  }

  /** Set where a limit or the caller ended it. */
  get stop(): Stop | null {
    return this.#stop;
  }

  /** Set as soon as the server answered. */
  get head(): AnswerHead | null {
    return this.#head;
  }

  /** Ends the request; for axios. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Node's own client with the request watched, as axios calls it. With it axios follows no redirects. */
  readonly transport = {
    request: (
      options: https.RequestOptions,
      onResponse: (response: http.IncomingMessage) => void,
    ): http.ClientRequest => {
      const secure = options.protocol === "https:";
      const request = secure ? https.request(options, onResponse) : http.request(options, onResponse);
      this.#watch(request, secure);
      return request;
    },
  };

  /** Gives it up. */
  readonly abort = (): void => this.#giveUp({ errorCode: "ABORTED", text: "the attempt was stopped" });

  /** Ends the timers and lets go of the caller's signal. */
  close(): void {
    this.#over = true;
    clearTimeout(this.#limitTimer);
    clearTimeout(this.#totalTimer);
    this.#options.signal.removeEventListener("abort", this.abort);
  }

  #watch(request: http.ClientRequest, secure: boolean): void {
    request.once("socket", (socket) => {
      if (!socket.connecting) {
        this.#enter("http");
        return;
      }
      const { connectMs } = this.#limits;
      this.#limit("no connection within", connectMs);
      this.#enter(isIP(request.host) === 0 ? "dns" : "connect");
      socket.once("lookup", (error) => {
        if (error === null && this.#stage === "dns") this.#enter("connect");
      });
      socket.once("connect", () => this.#enter(secure ? "tls" : "http"));
      socket.once("secureConnect", () => this.#enter("http"));
    });
    request.once("finish", () => this.#limit("no answer within", this.#limits.responseMs));
    request.once("response", ({ statusCode = 0, headers }) => {
      this.#head = { httpStatus: statusCode, headers };
    });
  }

  #enter(stage: Stage): void {
    if (this.#over) return;
    this.#stage = stage;
    if (stage === "http") clearTimeout(this.#limitTimer);
    this.#options.onStage(stage);
  }

  #limit(what: string, limitMs: number): void {
    if (this.#over) return;
    clearTimeout(this.#limitTimer);
    this.#limitTimer = setTimeout(() => this.#timeOut(what, limitMs), limitMs);
  }

  #timeOut(what: string, limitMs: number): void {
    this.#giveUp({ errorCode: "ETIMEDOUT", text: `${what} ${limitMs} ms` });
  }

  #giveUp(stop: Stop): void {
    if (this.#over) return;
    this.#stop = stop;
    this.close();
    this.#controller.abort();
  }
}
