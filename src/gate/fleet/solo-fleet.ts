import type { Fleet, FleetSeat } from "./fleet.ts";

const ALONE: FleetSeat = {
  state: { kind: "closed" },
  pause: null,
  connected: false,
  vote: () => undefined,
  share: () => undefined,
};

/** A worker without a fleet: each gate decides alone. */
export const soloFleet: Fleet = {
  join: () => ALONE,
  start: async () => undefined,
  stop: async () => undefined,
};
