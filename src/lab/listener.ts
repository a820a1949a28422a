import { once } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** How often a port that was given up is asked for again, when a client's socket has it for the moment. */
const RELISTEN_TRIES = 100;
const RELISTEN_EVERY_MS = 50;

/** A listening socket that can be shut, so that connects are refused, and opened again on the same port. */
export class Listener {
  readonly host: string;
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #connectionCount = 0;
  #change: Promise<void> = Promise.resolve();

  /** Begins to listen. Port 0 takes any free one. */
  static async open(server: Server, address: { readonly host: string; readonly port: number }): Promise<Listener> {
    server.listen(address.port, address.host);
    await once(server, "listening");
    return new Listener(server, address.host);
  }

  private constructor(server: Server, host: string) {
    this.#server = server;
    this.host = host;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (socket: Socket) => {
      this.#connectionCount += 1;
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Connections since the start. */
  get connectionCount(): number {
    return this.#connectionCount;
  }

  /** Opens or shuts the socket. Shutting drops live connections. Resolves when it is so. */
  setOpen(open: boolean): Promise<void> {
    // One that failed has been told to its caller.
    this.#change = this.#change.catch(() => {}).then(() => (open ? this.#listen() : this.#shut()));
    return this.#change;
  }

  close(): Promise<void> {
    return this.setOpen(false);
  }

  async #listen(): Promise<void> {
    for (let tries = 1; !this.#server.listening; tries += 1) {
      try {
        this.#server.listen(this.port, this.host);
        await once(this.#server, "listening");
      } catch (error) {
        if (tries === RELISTEN_TRIES) throw error;
        await delay(RELISTEN_EVERY_MS);
      }
    }
  }

  async #shut(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
