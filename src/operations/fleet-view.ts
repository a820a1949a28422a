import { ChangeLog } from "../control/change-log.ts";
import { overlayAt } from "../control/state.ts";
import type { ControlState } from "../control/state.ts";
import type { Overlay } from "../control/overlay.ts";
import type { Clock, LimitSettings } from "../core/index.ts";
import { readFleet, readWorkers } from "../gate/fleet/read-fleet.ts";
import type { ProviderReport } from "../gate/fleet/read-fleet.ts";
import { readUsage } from "../gate/limits/read-usage.ts";
import type { Usage } from "../gate/limits/read-usage.ts";
import { describeError } from "../redis/describe-error.ts";
import type { RedisClient } from "../redis/connection.ts";
import { within } from "../redis/within.ts";
import { readWorkerStatus } from "./worker-status.ts";
import type { WorkerStatus } from "./worker-status.ts";

/** A worker as it last told of itself. Null: in words that this release does not know. */
export type SeenWorker = { readonly name: string; readonly status: WorkerStatus | null };

/**
 * All that Redis holds of a fleet's providers, as it was at `now`. Instants are epoch milliseconds of this process's clock,
 * but for those in `changes`, which are Redis's.
 */
export type FleetView = {
  readonly now: number;
  readonly reports: ReadonlyMap<string, ProviderReport>;
  /** Of those that have settings for limits. */
  readonly usage: ReadonlyMap<string, Usage>;
  readonly workers: readonly SeenWorker[];
  /** What operators changed, as delivery reads it. */
  readonly overlay: Overlay;
  readonly pools: Viewed["pools"];
  /** The same with its authors, and Redis's time. */
  readonly changes: { readonly state: ControlState; readonly now: number };
};

/** What is asked about, as it is configured. */
export type Viewed = {
  readonly providers: readonly { readonly name: string; readonly limits?: LimitSettings | undefined }[];
  /** Names that stand for several of them. */
  readonly pools: Readonly<Record<string, readonly string[]>>;
};

/** A Redis that takes connections and does not answer, since it loads its data, say, is one that is away. */
const ANSWER_MS = 5_000;

/** Reads it without taking part: no slot is taken, nobody is told. Throws a sentence for people where Redis does not answer. */
export async function readFleetView(redis: RedisClient, viewed: Viewed, clock: Clock = Date.now): Promise<FleetView> {
  try {
    return await within(ANSWER_MS, read(redis, viewed, clock), () => {
      throw new Error(`no answer within ${ANSWER_MS} ms`);
    });
  } catch (error) {
    // Why it cannot be had, the connection itself says; ioredis only says how often it was tried.
    const isAway = error instanceof Error && error.name === "MaxRetriesPerRequestError";
    const why = isAway ? "" : `: ${describeError(error)}`;
    throw new Error(`Redis does not answer, so nobody knows how providers stand${why}`, { cause: error });
  }
}

async function read(redis: RedisClient, { providers, pools }: Viewed, clock: Clock): Promise<FleetView> {
  const names = providers.map(({ name }) => name);
  const usages = providers.map(async ({ name, limits }) =>
    limits === undefined ? [] : [[name, await readUsage(redis, name, limits, clock())] as const],
  );
  const [reports, workers, [changes, aheadMs], usage] = await Promise.all([
    readFleet(redis, names, clock),
    readWorkers(redis),
    readChanges(redis, clock),
    Promise.all(usages),
  ]);
  return {
    now: clock(),
    reports: new Map(reports.map((report) => [report.provider, report])),
    usage: new Map(usage.flat()),
    workers: workers.map(({ name, status }) => ({ name, status: readWorkerStatus(status) })),
    overlay: overlayAt(changes.state, changes.now, aheadMs, pools),
    pools,
    changes,
  };
}

/** The log of changes, and by how much Redis's clock is ahead of ours, in milliseconds. */
async function readChanges(redis: RedisClient, clock: Clock): Promise<[FleetView["changes"], number]> {
  const askedAt = clock();
  const { state, now } = await new ChangeLog(redis).read();
  return [{ state, now }, now - (askedAt + clock()) / 2];
}
