import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

type Watch = () => (bytes: Buffer) => void;

/** The gateways' way to Redis, which can be cut (connections break, new ones too) or frozen (nothing comes through). */
export class Cable {
  readonly #server: Server;
  readonly #watch: Watch;
  readonly #sockets = new Set<Socket>();
  #state: "whole" | "cut" | "frozen" = "whole";

  private constructor(farPort: number, watch: Watch) {
    this.#watch = watch;
    this.#server = createServer((near) => this.#join(near, farPort));
  }

  /** `watch`: called for each connection; what it returns is told of all that its near end sends. */
  static async lay(farPort: number, watch: Watch = () => () => undefined): Promise<Cable> {
    const cable = new Cable(farPort, watch);
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
    near.on("data", this.#watch());
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
