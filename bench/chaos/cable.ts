import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

/** The gateways' way to Redis, which can be cut (connections break, new ones too) or frozen (nothing comes through). */
export class Cable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #state: "whole" | "cut" | "frozen" = "whole";

  private constructor(farPort: number) {
    this.#server = createServer((near) => this.#join(near, farPort));
  }

  static async lay(farPort: number): Promise<Cable> {
    const cable = new Cable(farPort);
    cable.#server.listen(0, "127.0.0.1");
    await once(cable.#server, "listening");
    return cable;
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.#state = "cut";
    for (const socket of this.#sockets) socket.destroy();
  }

  /** What is on its way arrives once the cable is whole again, however late. */
  freeze(): void {
    this.#state = "frozen";
    for (const socket of this.#sockets) socket.pause();
  }

  mend(): void {
    this.#state = "whole";
    for (const socket of this.#sockets) socket.resume();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(near: Socket, farPort: number): void {
    if (this.#state === "cut") {
      near.destroy();
      return;
    }
    const far = connect(farPort, "127.0.0.1");
    this.#follow(near, far);
    this.#follow(far, near);
  }

  #follow(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on("data", (bytes) => to.write(bytes));
    from.on("error", () => undefined);
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    if (this.#state === "frozen") from.pause();
  }
}
