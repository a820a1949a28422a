import type { Fleet, FleetSeat, FleetState, Opening, SeatParts } from "../../../src/gate/fleet/fleet.ts";
import type { Pause } from "../../../src/gate/pause.ts";
import type { ProbeResult } from "../../../src/gate/probe.ts";

/** A fleet, and its only seat, that holds what a test says. */
export class ScriptedFleet implements Fleet, FleetSeat {
  state: FleetState = { kind: "closed" };
  pause: Pause | null = null;
  connected = true;
  readonly votes: (Opening | null)[] = [];
  readonly shared: Pause[] = [];
  #parts: SeatParts | null = null;

  join(_provider: string, parts: SeatParts): FleetSeat {
    this.#parts = parts;
    return this;
  }

  vote(opening: Opening | null): void {
    this.votes.push(opening);
  }

  share(pause: Pause): void {
    this.shared.push(pause);
  }

  become(state: FleetState): void {
    const before = this.state;
    this.state = state;
    this.#parts?.onChange(before, state);
  }

  probe(): Promise<ProbeResult> | undefined {
    return this.#parts?.probe(new AbortController().signal);
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}
}
