import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import type { KeyPair } from "../../src/testing/index.ts";

/** What it does with a new connection. `refuse`: it does not listen. */
export type FrontMode = "pass" | "refuse" | "silence" | "drop";

export type TlsFront = { readonly port: number; set(mode: FrontMode): Promise<void>; close(): Promise<void> };

/** TLS in front of a server that speaks none, with troubles before and in the handshake. */
export async function startTlsFront(behindPort: number, keyPair: KeyPair): Promise<TlsFront> {
  const secureContext = createSecureContext(keyPair);
  const sockets = new Set<Socket>();
  let mode: FrontMode = "pass";
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    if (mode === "drop") socket.destroy();
    if (mode !== "pass") return;
    const secure = new TLSSocket(socket, { isServer: true, secureContext });
    const behind = connect(behindPort, "127.0.0.1");
    for (const [one, other] of [
      [secure, behind],
      [behind, secure],
    ] as const) {
      one.on("error", () => {});
      one.once("close", () => other.destroy());
      one.pipe(other);
    }
  });
  const listen = async (port: number): Promise<number> => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const shut = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const port = await listen(0);
  return {
    port,
    set: async (next) => {
      mode = next;
      if (mode === "refuse") await shut();
      else if (!server.listening) await listen(port);
    },
    close: shut,
  };
}
