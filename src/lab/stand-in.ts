import type { Server } from "node:net";
import type { Clock } from "../core/index.ts";
import { FaultSwitch, seededRandom } from "./fault-switch.ts";
import type { Fault } from "./fault.ts";
import type { LabServer } from "./lab-server.ts";
import { Listener } from "./listener.ts";
import { Mailbag } from "./mailbag.ts";
import type { AcceptedMessage } from "./mailbag.ts";
import { Transcript } from "./transcript.ts";
import type { TranscriptLine } from "./transcript.ts";

export type StandInOptions = {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  /** Seed of the random numbers behind a fault's `share`. */
  readonly seed: number;
  readonly ca: string | null;
  /** Forgets what the rules have counted. */
  readonly onClear: () => void;
};

/** What all stand-ins have in common: the socket, the faults, what was accepted and what was said. */
export class StandIn<F extends Fault> implements LabServer<F> {
  readonly name: string;
  readonly ca: string | null;
  readonly faultSwitch: FaultSwitch<F>;
  readonly #options: StandInOptions;
  readonly #listener: Listener;
  readonly #mailbag = new Mailbag();
  readonly #transcript = new Transcript();
  readonly #underWay = new Set<Promise<void>>();

  static async start<F extends Fault>(server: Server, options: StandInOptions): Promise<StandIn<F>> {
    return new StandIn<F>(await Listener.open(server, options), options);
  }

  private constructor(listener: Listener, options: StandInOptions) {
    this.name = options.name;
    this.ca = options.ca;
    this.faultSwitch = new FaultSwitch<F>(seededRandom(options.seed));
    this.#options = options;
    this.#listener = listener;
  }

  get host(): string {
    return this.#listener.host;
  }

  get port(): number {
    return this.#listener.port;
  }

  get accepted(): readonly AcceptedMessage[] {
    return this.#mailbag.messages;
  }

  get connections(): number {
    return this.#listener.connections;
  }

  get connectionCount(): number {
    return this.#listener.connectionCount;
  }

  get faults(): readonly F[] {
    return this.faultSwitch.faults;
  }

  get transcript(): readonly TranscriptLine[] {
    return this.#transcript.lines;
  }

  setFault(fault: F | null): Promise<void> {
    return this.setFaults(fault === null ? [] : [fault]);
  }

  setFaults(faults: readonly F[]): Promise<void> {
    this.faultSwitch.set(faults);
    return this.#listener.setOpen(!faults.some(({ kind }) => kind === "refuse"));
  }

  onAccepted(listener: (message: AcceptedMessage) => void): () => void {
    return this.#mailbag.listen(listener);
  }

  accept(message: Omit<AcceptedMessage, "server" | "acceptedAt">): void {
    this.#mailbag.add({ server: this.name, acceptedAt: this.#options.clock(), ...message });
  }

  note(connection: number, from: "client" | "server", text: string): void {
    this.#transcript.add({ at: this.#options.clock(), connection, from, text });
  }

  /** Has `close` wait for this. */
  track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }

  clear(): void {
    this.#mailbag.clear();
    this.#transcript.clear();
    this.#options.onClear();
  }

  async close(): Promise<void> {
    await this.#listener.close();
    await Promise.all(this.#underWay);
  }
}
