import type { Clock } from "../../core/index.ts";
import type { RedisClient } from "../../redis/connection.ts";
import type { Pause } from "../pause.ts";
import { ClockOffset } from "./clock-offset.ts";
import type { FleetState } from "./fleet.ts";
import { pauseOf, stateOf } from "./reading.ts";
import type { ToOwnClock } from "./reading.ts";
import { FleetStore } from "./store.ts";
import type { FleetPicture } from "./store.ts";

/** What a fleet holds of one provider. Instants are epoch milliseconds of this process's clock. */
export type ProviderReport = {
  readonly provider: string;
  readonly state: FleetState;
  /** Those that find it at fault, the earliest first. Fewer than the quorum open only their own breakers. */
  readonly votes: readonly {
    readonly worker: string;
    readonly reason: string;
    readonly remedy: string | null;
    readonly since: number;
  }[];
  readonly pause: Pause | null;
  /** The worker that probes it now, or null. */
  readonly probedBy: string | null;
};

/** A worker that was heard of within the last 5 s. */
export type WorkerReport = {
  readonly name: string;
  /** As the worker said it: JSON, unchecked; empty: nothing. */
  readonly status: string;
};

/** What the fleet holds of these providers, in their order, for people. Rejects where Redis cannot be had. */
export async function readFleet(
  redis: RedisClient,
  providers: readonly string[],
  clock: Clock = Date.now,
): Promise<ProviderReport[]> {
  const offset = new ClockOffset();
  const sentAt = clock();
  const picture = await new FleetStore(redis).look(providers);
  offset.measure(sentAt, clock(), picture.now);
  return reports(providers, picture, (at) => offset.toOwn(at));
}

/** The workers of the fleet by name, as they last told of themselves. Rejects where Redis cannot be had. */
export async function readWorkers(redis: RedisClient): Promise<WorkerReport[]> {
  const { workers } = await new FleetStore(redis).look([]);
  return workers
    .map(({ name, status }) => ({ name: nameOf(name), status }))
    .toSorted((one, other) => one.name.localeCompare(other.name));
}

function reports(providers: readonly string[], { now, seats }: FleetPicture, toOwnClock: ToOwnClock): ProviderReport[] {
  return seats.map(({ state, votes }, index) => ({
    provider: providers[index] ?? "",
    state: stateOf(state, toOwnClock),
    votes: votes
      .toSorted((one, other) => one.castAt - other.castAt)
      .map(({ worker, reason, remedy, castAt }) => ({
        worker: nameOf(worker),
        reason,
        remedy: remedy === "" ? null : remedy,
        since: toOwnClock(castAt),
      })),
    pause: state.pauseUntilAt > now ? pauseOf(state, toOwnClock) : null,
    probedBy: state.probeToken !== "" && state.probeUntilAt > now ? nameOf(state.probeToken) : null,
  }));
}

/** Without what tells it from others that had its name. */
function nameOf(workerId: string): string {
  return workerId.replace(/#[0-9a-f]{8}( \d+)?$/, "");
}
