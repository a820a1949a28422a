import { createServer } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createAuthority } from "../../../../src/lab/certificate.ts";

export type TokenRequestSeen = { readonly url: string; readonly form: URLSearchParams };
export type Script = (request: TokenRequestSeen, response: ServerResponse, incoming: IncomingMessage) => void;

export type ScriptedLogin = {
  readonly authority: string;
  readonly ca: string;
  readonly seen: readonly TokenRequestSeen[];
  /** How the next requests are answered. */
  script: Script;
  close(): Promise<void>;
};

export const giveToken: Script = (_request, response) =>
  answerJson(response, 200, { token_type: "Bearer", expires_in: 3599, access_token: "the-access-token" });

export function answerJson(response: ServerResponse, status: number, body: object, headers: object = {}): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
  response.end(JSON.stringify(body));
}

/** A login service that answers by script: for answers that no real one gives. */
export async function startScriptedLogin(): Promise<ScriptedLogin> {
  const { ca, server: pair } = await createAuthority();
  const seen: TokenRequestSeen[] = [];
  const server = createServer(pair, (incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const request = { url: incoming.url ?? "", form: new URLSearchParams(Buffer.concat(chunks).toString()) };
      seen.push(request);
      login.script(request, response, incoming);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const login: ScriptedLogin = {
    authority: `https://localhost:${(server.address() as AddressInfo).port}`,
    ca,
    seen,
    script: giveToken,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return login;
}
