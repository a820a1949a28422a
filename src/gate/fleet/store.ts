import type { RedisClient } from "../../redis/connection.ts";
import { fleetKeys } from "./keys.ts";
import type { FleetKeys } from "./keys.ts";
import { BEAT, LEAVE, LOOK } from "./scripts.ts";

/** By what the fleet decides. Times in milliseconds. */
export type Rules = {
  /** Votes that open a provider for all; 0: one of one or two workers, two of more. */
  readonly quorum: number;
  /** First time open; it grows by `openGrowth` up to `openMaxMs`, with a jitter of up to so many percent. */
  readonly openMs: number;
  readonly openMaxMs: number;
  readonly openGrowth: number;
  readonly jitterPercent: number;
  /** An opening within the last open time and this after a closing is the same trouble. */
  readonly windowMs: number;
  /** Length of the way back. */
  readonly rampMs: number;
  /** How long one worker has the right to probe. */
  readonly leaseMs: number;
};

/** What one worker has to say of one provider. */
export type SeatNews = {
  /** Of the state that it knows. */
  readonly version: number;
  /** For the jitter of an open time: [0, 1). */
  readonly random: number;
  /** Its breaker is open. The same `id` is the same vote. An empty remedy: none. */
  readonly vote?: {
    readonly id: number;
    readonly reason: string;
    readonly remedy: string;
    readonly atLeastMs: number;
  };
  /** What came of the probe that it was asked for. */
  readonly probed?: {
    readonly token: string;
    readonly ok: boolean;
    readonly reason: string;
    readonly remedy: string;
    readonly atLeastMs: number;
  };
  readonly pause?: { readonly cause: "throttled" | "quota"; readonly reason: string; readonly forMs: number };
  /** It still probes, and cannot take another lease. */
  readonly isBusy: boolean;
};

/** A provider's state as it lies in Redis. Instants in Redis's time; empty text and 0: none. */
export type StoredState = {
  readonly kind: "closed" | "open" | "ramp";
  readonly version: number;
  readonly reason: string;
  readonly remedy: string;
  readonly untilAt: number;
  readonly startedAt: number;
  /** Version at which its last ramp began. */
  readonly rampVersion: number;
  readonly probeToken: string;
  readonly probeUntilAt: number;
  readonly pauseCause: "" | "throttled" | "quota";
  readonly pauseReason: string;
  readonly pauseBy: string;
  readonly pauseUntilAt: number;
};

/** What one worker hears of one provider. With a token, it is to probe it. */
export type SeatAnswer = { readonly state: StoredState; readonly token?: string };

export type BeatAnswer = { readonly now: number; readonly seats: readonly SeatAnswer[] };

export type StoredVote = {
  readonly worker: string;
  readonly reason: string;
  readonly remedy: string;
  readonly castAt: number;
};

/** All that a fleet shares. Workers that are gone, and votes that do not count, are left out. */
export type FleetPicture = {
  readonly now: number;
  readonly workers: readonly { readonly name: string; readonly status: string }[];
  readonly seats: readonly { readonly state: StoredState; readonly votes: readonly StoredVote[] }[];
};

/** A worker that was not heard for this long is gone. */
const GONE_AFTER_MS = 5_000;

/** Longer than the longest open time and the longest pause, a day each, with all that is added to them. */
const KEPT_MS = 3 * 86_400_000;

/** The scripts as ioredis defines them on a connection: number of keys first. */
type Scripted = RedisClient & {
  fleetBeat(keyCount: number, ...args: (string | number)[]): Promise<string>;
  fleetLeave(keyCount: number, ...args: (string | number)[]): Promise<null>;
  fleetLook(keyCount: number, ...args: (string | number)[]): Promise<string>;
};

export type FleetStoreOptions = {
  /** Another name is another fleet. */
  readonly name?: string;
  /** In place of Redis's own time, epoch milliseconds. */
  readonly now?: () => number;
};

/** What a fleet shares, in Redis. Every method is one atomic script, and rejects where Redis cannot be had. */
export class FleetStore {
  readonly keys: FleetKeys;
  readonly #redis: Scripted;
  readonly #now: () => number | "";

  constructor(redis: RedisClient, options: FleetStoreOptions = {}) {
    redis.defineCommand("fleetBeat", { lua: BEAT });
    redis.defineCommand("fleetLeave", { lua: LEAVE });
    redis.defineCommand("fleetLook", { lua: LOOK });
    this.#redis = redis as Scripted;
    this.#now = options.now ?? ((): "" => "");
    this.keys = fleetKeys(options.name);
  }

  /** A worker lives, has news, and hears what there is; an answer for each provider of `news`, in its order. */
  async beat(
    worker: { readonly id: string; readonly status: string },
    rules: Rules,
    news: ReadonlyMap<string, SeatNews>,
  ): Promise<BeatAnswer> {
    const keys = this.#keysOf([...news.keys()]);
    const all = { ...rules, goneAfterMs: GONE_AFTER_MS, keptMs: KEPT_MS, channel: this.keys.channel };
    const args = [this.#now(), worker.id, worker.status, JSON.stringify(all)];
    const told = [...news.values()].map((one) => JSON.stringify(one));
    const answer = await this.#redis.fleetBeat(keys.length, ...keys, ...args, ...told);
    return parse<BeatAnswer>(answer);
  }

  /** Takes back what this worker said of these providers. */
  async leave(workerId: string, providers: readonly string[]): Promise<void> {
    const keys = this.#keysOf(providers);
    await this.#redis.fleetLeave(keys.length, ...keys, "", workerId);
  }

  async look(providers: readonly string[]): Promise<FleetPicture> {
    const keys = this.#keysOf(providers);
    return parse<FleetPicture>(await this.#redis.fleetLook(keys.length, ...keys, this.#now(), GONE_AFTER_MS));
  }

  #keysOf(providers: readonly string[]): string[] {
    return [this.keys.workers, this.keys.statuses, ...providers.flatMap(this.keys.of)];
  }
}

/** Lua has one kind of table: an empty list comes as an empty object. */
function parse<T>(json: string): T {
  return JSON.parse(json, (_key, value: unknown) => (isEmptyObject(value) ? [] : value)) as T;
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}
