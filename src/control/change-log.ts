import { randomUUID } from "node:crypto";
import type { RedisClient } from "../redis/connection.ts";
import { parseEntry } from "./change.ts";
import type { Change, Draft } from "./change.ts";
import { CHANNEL, LOG_KEYS } from "./keys.ts";
import { APPEND, READ } from "./scripts.ts";
import { NO_CHANGES, foldChanges } from "./state.ts";
import type { ControlState } from "./state.ts";

/** The log as it is kept. Changes before it are folded into `before`. */
export type History = {
  /** Redis's time, epoch milliseconds. */
  readonly now: number;
  readonly before: ControlState;
  /** The first made first. */
  readonly changes: readonly Change[];
  /** What they come to. */
  readonly state: ControlState;
};

/** What is new to somebody who knows a state. `isLost`: what he knew is no longer in the log, and holds no more. */
export type News = Pick<History, "now" | "changes" | "state"> & { readonly isLost: boolean };

/** The scripts as ioredis defines them on a connection. */
type Scripted = RedisClient & {
  controlRead(...args: (string | number)[]): Promise<string[]>;
  controlAppend(...args: (string | number)[]): Promise<string>;
};

/** A log that has grown so long is cut to the later half, and the rest kept as what it came to. */
const LONGEST = 1_000;

/** What was changed at run time, append-only and versioned, in Redis. Its methods reject where Redis does not answer. */
export class ChangeLog {
  readonly #redis: Scripted;

  constructor(redis: RedisClient) {
    redis.defineCommand("controlRead", { numberOfKeys: 2, lua: READ });
    redis.defineCommand("controlAppend", { numberOfKeys: 2, lua: APPEND });
    this.#redis = redis as Scripted;
  }

  /** All of it that is kept. */
  async read(): Promise<History> {
    const [now = "", , , snapshot = "", ...entries] = await this.#redis.controlRead(...LOG_KEYS, 0, 0);
    const before = snapshotOf(snapshot);
    const changes = entries.map(parseEntry);
    return { now: Number(now), before, changes, state: foldChanges(changes, before) };
  }

  /** What came after this state. */
  async readAfter(known: ControlState): Promise<News> {
    const answer = await this.#redis.controlRead(...LOG_KEYS, known.version, known.at);
    const [now, kind, ...rest] = answer;
    if (kind === "same") return { now: Number(now), changes: [], state: known, isLost: false };
    const isAnew = kind === "anew";
    const before = isAnew ? snapshotOf(rest[1] ?? "") : known;
    const changes = rest.slice(isAnew ? 2 : 0).map(parseEntry);
    return { now: Number(now), changes, state: foldChanges(changes, before), isLost: before.version < known.version };
  }

  /**
   * Appends a change, and tells all workers. Null, and nothing is written, where the version it was decided on is no
   * longer the latest. With the history a long log is shortened.
   */
  async append(draft: Draft, expectedVersion: number, history?: History): Promise<Change | null> {
    const oldest =
      history !== undefined && history.changes.length >= LONGEST ? history.changes.slice(0, LONGEST / 2) : [];
    const snapshot = oldest.length === 0 ? "" : JSON.stringify(foldChanges(oldest, history?.before));
    const entry = await this.#redis.controlAppend(
      ...LOG_KEYS,
      expectedVersion,
      randomUUID(),
      JSON.stringify(draft),
      CHANNEL,
      oldest.length,
      snapshot,
    );
    return entry === "" ? null : parseEntry(entry);
  }
}

function snapshotOf(json: string): ControlState {
  return json === "" ? NO_CHANGES : (JSON.parse(json) as ControlState);
}
