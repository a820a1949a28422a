import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export type ReceivedRequest = {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

/** What a receiver answers: a status, a redirect, a connection that drops, or nothing at all. */
export type Answer = number | { readonly redirect: string } | "drop" | "silence";

/** An app's endpoint, as a real HTTP server. */
export type Receiver = {
  readonly url: string;
  readonly requests: ReceivedRequest[];
  /** Answers of the next requests, in order; then 204. */
  readonly answers: Answer[];
  /** The answer when `answers` is empty. */
  otherwise: Answer;
  close(): Promise<void>;
};

export async function startReceiver(): Promise<Receiver> {
  const requests: ReceivedRequest[] = [];
  const answers: Answer[] = [];
  const server = createServer(async (request, response) => {
    requests.push({ headers: request.headers, body: await text(request) });
    const answer = answers.shift() ?? receiver.otherwise;
    if (answer === "silence") return;
    if (answer === "drop") request.socket.destroy();
    else if (typeof answer === "number") response.writeHead(answer).end(answer >= 400 ? "it does not like it" : "");
    else response.writeHead(302, { location: answer.redirect }).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks?token=url-token`,
    requests,
    answers,
    otherwise: 204,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return receiver;
}
