import http from "node:http";
import https from "node:https";
import { rootCertificates } from "node:tls";
import type { SendOptions } from "../../src/core/index.ts";
import { Exchange } from "./exchange.ts";
import { Client, MailService } from "./library.ts";
import type { ClientRequest, ClientResult, MailData } from "./library.ts";
import type { MailBody } from "./mapping.ts";
import { apiUrl } from "./settings.ts";
import type { SendGridSettings } from "./settings.ts";

/**
 * How long an unused connection is kept. A server that closes a connection just as a request goes out leaves us not
 * knowing whether it was read, and a POST must not be repeated then; SendGrid and common proxies wait longer than this.
 */
const IDLE_CONNECTION_MS = 4_000;

/** Largest answer we read: real ones have a few hundred bytes. */
const MAX_ANSWER_BYTES = 1_000_000;

/** What came of one request: the answer's body, or the error, with the exchange it came from. */
export type ApiResult = { readonly exchange: Exchange } & (
  | { readonly ok: true; readonly body: unknown }
  | { readonly ok: false; readonly error: unknown }
);

/** The v3 API through SendGrid's own library, on connections of our own. */
export class SendGridApi {
  readonly #settings: SendGridSettings;
  readonly #agents: { readonly httpAgent: http.Agent; readonly httpsAgent: https.Agent };
  readonly #underWay = new Map<Exchange, Promise<unknown>>();
  #closed = false;

  constructor(settings: SendGridSettings) {
    this.#settings = settings;
    const options = { keepAlive: true, maxSockets: settings.connections, timeout: IDLE_CONNECTION_MS };
    const trust = settings.ca === undefined ? {} : { ca: [...rootCertificates, settings.ca] };
    this.#agents = { httpAgent: new http.Agent(options), httpsAgent: new https.Agent({ ...options, ...trust }) };
  }

  /** POST /v3/mail/send. */
  sendMail(body: MailBody, options: SendOptions): Promise<ApiResult> {
    return this.#exchange(options, async (client) => {
      const mail = new MailService();
      const { attachments, ...rest } = body;
      if (attachments !== undefined) client.attachments = attachments;
      mail.setClient(client);
      // The library's types want its own spelling of the names; it takes the API's as well.
      const [response] = await mail.send({ ...rest } as unknown as MailData);
      return response.body;
    });
  }

  /** GET /v3/scopes: what the API key may do. */
  scopes(options: SendOptions): Promise<ApiResult> {
    return this.#exchange(options, async (client) => {
      const [response] = await client.request({ method: "GET", url: "/v3/scopes" });
      return response.body;
    });
  }

  /** GET /v3/messages: the Email Activity Feed. */
  messages(query: string, limit: number, options: SendOptions): Promise<ApiResult> {
    return this.#exchange(options, async (client) => {
      // Encoded here, as axios leaves some characters as they are.
      const url = `/v3/messages?limit=${limit}&query=${encodeURIComponent(query)}`;
      const [response] = await client.request({ method: "GET", url });
      return response.body;
    });
  }

  /** Aborts what is under way and ends the connections. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const exchange of this.#underWay.keys()) exchange.abort();
    await Promise.allSettled(this.#underWay.values());
    this.#agents.httpAgent.destroy();
    this.#agents.httpsAgent.destroy();
  }

  async #exchange(options: SendOptions, call: (client: AttemptClient) => Promise<unknown>): Promise<ApiResult> {
    const exchange = new Exchange(this.#settings.timeouts, options);
    if (this.#closed) exchange.abort();
    const answer = call(this.#client(exchange));
    this.#underWay.set(exchange, answer);
    try {
      return { exchange, ok: true, body: await answer };
    } catch (error) {
      return { exchange, ok: false, error };
    } finally {
      this.#underWay.delete(exchange);
      exchange.close();
    }
  }

  /** A client for one request: the library keeps the signal and the transport among a client's defaults. */
  #client(exchange: Exchange): AttemptClient {
    const client = new AttemptClient();
    client.setApiKey(this.#settings.apiKey);
    const defaults = {
      baseUrl: apiUrl(this.#settings),
      ...this.#agents,
      signal: exchange.signal,
      transport: exchange.transport,
      // A proxy of the environment would put an agent of its own, without limits, between us and SendGrid.
      proxy: false,
      maxContentLength: MAX_ANSWER_BYTES,
    };
    client.setDefaultRequest(defaults as unknown as ClientRequest);
    return client;
  }
}

/** Adds the attachments last: the mail service copies what it is given several times (0.3 s for 10 MB). */
class AttemptClient extends Client {
  attachments: MailBody["attachments"];

  override request(data: ClientRequest): Promise<ClientResult> {
    if (this.attachments === undefined) return super.request(data);
    return super.request({ ...data, body: { ...(data.body as object), attachments: this.attachments } });
  }
}
