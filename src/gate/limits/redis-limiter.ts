import { randomBytes } from "node:crypto";
import type { Clock, Emit, LimitSettings, MessageClass, Random } from "../../core/index.ts";
import type { RedisClient } from "../../redis/connection.ts";
import { gatherWrites } from "../../redis/gather-writes.ts";
import { ConnectionLeases } from "./connection-leases.ts";
import type { Lease } from "./connection-leases.ts";
import { keysOf } from "./keys.ts";
import type { LimitCause, Limiter, SlotAnswer, SlotRequest } from "./limiter.ts";
import { QuotaWatch } from "./quota-watch.ts";
import { CONNECTION_LEASE_MS, DEFAULT_PACE, ScriptFrame } from "./script-arguments.ts";
import type { PaceSettings } from "./script-arguments.ts";
import { RESERVE } from "./script-reserve.ts";
import { END, RELEASE, RENEW, REPORT, TOO_FAST } from "./scripts.ts";
import { slotReason } from "./slot-reason.ts";

export type RedisLimiterOptions = {
  /** Its commands fail within seconds while Redis is away. */
  readonly redis: RedisClient;
  readonly provider: string;
  /** This process. */
  readonly worker: string;
  readonly settings: LimitSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: Emit;
  /** How long an attempt takes at most, whatever happens, in milliseconds. One whose end was never told counts as sent then. */
  readonly attemptTimeoutMs: number;
  /** How long after an attempt its connection may still be open, in milliseconds; 0: it is closed by then. */
  readonly idleMs: number;
  readonly pace?: PaceSettings;
  /** For tests: what Redis's own clock shows. */
  readonly storeClock?: Clock;
};

/** The lane that a class begins with. */
export const RANKS: Readonly<Record<MessageClass, number>> = { otp: 1, transactional: 2, bulk: 3 };

/** A limit that cannot be asked for is asked for again after this long. */
const STORE_WAIT_MS = 1_000;

/**
 * A command has failed after this long. ioredis fails one by itself where it finds no connection; not one that was on its way
 * when the connection broke, for as long as Redis takes connections and is not ready: while it loads its data, say.
 */
const COMMAND_TIMEOUT_MS = 3_000;

/** An attempt that is told to stop gets some time for it; and clocks do not run at quite the same speed. */
export const ATTEMPT_MARGIN_MS = 30_000;

/** An end that Redis did not take is told again after these times; after that, the lease of the attempt runs out. */
const END_RETRIES_MS = [1_000, 3_000, 10_000];
const ENDS_WAITING = 1_000;

type Argument = string | number;
type Command = "limitReserve" | "limitEnd" | "limitRelease" | "limitTooFast" | "limitReport" | "limitRenew";
type Scripted = RedisClient & Record<Command, (...args: Argument[]) => Promise<unknown>>;

const SCRIPTS: Readonly<Record<Command, string>> = {
  limitReserve: RESERVE,
  limitEnd: END,
  limitRelease: RELEASE,
  limitTooFast: TOO_FAST,
  limitReport: REPORT,
  limitRenew: RENEW,
};

/** One provider's limits, kept in Redis for the whole fleet. What is asked for is counted by Redis's clock. */
export class RedisLimiter implements Limiter {
  readonly #options: RedisLimiterOptions;
  readonly #redis: Scripted;
  readonly #keys: readonly string[];
  readonly #frame: ScriptFrame;
  readonly #pace: PaceSettings;
  readonly #name: string;
  readonly #leases: ConnectionLeases;
  readonly #watch: QuotaWatch;
  readonly #retries = new Set<NodeJS.Timeout>();
  #renewal: NodeJS.Timeout | null = null;
  #attemptCount = 0;
  #isClosed = false;

  constructor(options: RedisLimiterOptions) {
    this.#options = options;
    this.#keys = keysOf(options.provider);
    for (const [name, lua] of Object.entries(SCRIPTS)) {
      options.redis.defineCommand(name, { numberOfKeys: this.#keys.length, lua });
    }
    this.#redis = options.redis as Scripted;
    this.#pace = options.pace ?? DEFAULT_PACE;
    this.#frame = new ScriptFrame(options.settings, this.#pace, options.attemptTimeoutMs + ATTEMPT_MARGIN_MS);
    // A worker that starts anew under its old name must not take the attempts of before for its own.
    this.#name = `${options.worker}:${randomBytes(4).toString("hex")}`;
    this.#leases = new ConnectionLeases(this.#name, options.idleMs, options.clock);
    this.#watch = new QuotaWatch({ ...options, storeClock: options.storeClock ?? null });
  }

  async reserve(request: SlotRequest): Promise<SlotAnswer> {
    const { settings, random } = this.#options;
    const { id, recipientCount, bookWithinMs } = request;
    this.#attemptCount += 1;
    const token = `${this.#name}:${this.#attemptCount}`;
    const lease = settings.connections === null ? null : this.#leases.take();
    const near = Number.isFinite(bookWithinMs) ? Math.max(0, bookWithinMs) : "";
    const asked = [id, token, RANKS[request.class], recipientCount, near, lease?.name ?? "", random()];
    let answer: Argument[];
    try {
      answer = (await this.#run("limitReserve", asked)) as Argument[];
    } catch {
      if (lease !== null) this.#leases.untouched(lease);
      // It may have been granted all the same.
      this.#end(token, { sent: false, recipientCount, tookMs: 0 });
      return this.#later(request, "store", STORE_WAIT_MS);
    }
    return answer[0] === 1 ? this.#granted(request, token, lease, answer) : this.#refused(request, lease, answer);
  }

  release(id: string): void {
    // One that stays is no more than a message that does not come.
    void this.#run("limitRelease", [id]).catch(() => undefined);
  }

  tooFast(reason: string): void {
    void this.lowerPace(reason, 0).catch(() => undefined);
  }

  /**
   * The pace falls for everyone, unless it just fell. `unreported`: attempts of the last minute that the store does not
   * know of. Returns the messages a minute that hold now. Rejects where Redis does not answer.
   */
  async lowerPace(reason: string, unreported: number): Promise<number> {
    const { provider, emit } = this.#options;
    const { factor, least, onceInMs } = this.#pace;
    const answer = await this.#run("limitTooFast", [factor, least, onceInMs, unreported]);
    const [perMinute = 0, isLowered] = answer as number[];
    if (isLowered === 1) emit({ type: "limit.changed", provider, perMinute, reason });
    return perMinute;
  }

  /** Counts what was not asked for. Returns the messages a minute that hold now, or null. Rejects where Redis does not answer. */
  async report(done: {
    readonly attempts: number;
    readonly messages: number;
    readonly recipients: number;
  }): Promise<number | null> {
    const limit = (await this.#run("limitReport", [done.attempts, done.messages, done.recipients])) as number;
    return limit === 0 ? null : limit;
  }

  /** To be called when all connections are closed: gives the rights to them back. Never throws. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#renewal !== null) clearInterval(this.#renewal);
    for (const retry of this.#retries) clearTimeout(retry);
    const names = this.#leases.clear();
    if (names.length > 0) await this.#run("limitRenew", [0, ...names]).catch(() => undefined);
  }

  /** Keeps the connections that are in use, gives others back. Called by itself while there are any. Never throws. */
  async renew(): Promise<void> {
    const { kept, dropped } = this.#leases.sweep();
    if (kept.length + dropped.length > 0) {
      // What cannot be said now is said the next time, or runs out.
      const answer = await this.#run("limitRenew", [kept.length, ...kept, ...dropped]).catch(() => 0);
      if (answer === 1) this.#leases.spareOne();
    }
    if (this.#leases.count > 0 || this.#renewal === null) return;
    clearInterval(this.#renewal);
    this.#renewal = null;
  }

  #granted(request: SlotRequest, token: string, lease: Lease | null, answer: Argument[]): SlotAnswer {
    const { provider, clock, emit } = this.#options;
    const [, lateMs = 0, perMinute = 0, isRecovered] = answer.map(Number);
    if (lease !== null) this.#hold(lease);
    if (isRecovered === 1 && perMinute > 0) {
      emit({ type: "limit.changed", provider, perMinute, reason: "the full pace again" });
    }
    this.#watch.note();
    const startedAt = clock() - lateMs;
    let isEnded = false;
    return {
      kind: "granted",
      end: (sent) => {
        if (isEnded) return;
        isEnded = true;
        if (lease !== null) this.#leases.ended(lease);
        const tookMs = Math.max(0, Math.round(clock() - startedAt));
        this.#end(token, { sent, recipientCount: request.recipientCount, tookMs });
      },
    };
  }

  #refused(request: SlotRequest, lease: Lease | null, answer: Argument[]): SlotAnswer {
    const [, , waitMs = 0, booked, limit = 0, open = 0] = answer.map(Number);
    const cause = answer[1] as LimitCause;
    if (lease !== null) this.#leases[cause === "connections" ? "refused" : "untouched"](lease);
    return this.#later(request, cause, waitMs, { booked: booked === 1, limit, open });
  }

  #later(
    request: SlotRequest,
    cause: LimitCause,
    waitMs: number,
    { booked, limit, open } = { booked: false, limit: 0, open: 0 },
  ): SlotAnswer {
    const { clock, settings } = this.#options;
    const reason = slotReason(cause, request, { limit, open, settings });
    return { kind: "later", at: clock() + waitMs, booked, cause, reason };
  }

  #hold(lease: Lease): void {
    this.#leases.granted(lease);
    if (this.#renewal !== null || this.#isClosed) return;
    this.#renewal = setInterval(() => void this.renew(), CONNECTION_LEASE_MS / 3);
    this.#renewal.unref();
  }

  #end(token: string, ended: { sent: boolean; recipientCount: number; tookMs: number }, tries = 0): void {
    const { sent, recipientCount, tookMs } = ended;
    const told = this.#run("limitEnd", [token, sent ? "1" : "0", recipientCount, tookMs]);
    told.catch(() => {
      const waitMs = END_RETRIES_MS[tries];
      if (waitMs === undefined || this.#isClosed || this.#retries.size >= ENDS_WAITING) return;
      const retry = setTimeout(() => {
        this.#retries.delete(retry);
        this.#end(token, ended, tries + 1);
      }, waitMs);
      retry.unref();
      this.#retries.add(retry);
    });
  }

  #run(command: Command, args: readonly Argument[]): Promise<unknown> {
    const { clock, storeClock } = this.#options;
    gatherWrites(this.#redis);
    const frame = this.#frame.at(clock(), storeClock?.() ?? null);
    return withinTime(this.#redis[command](...this.#keys, ...frame, ...args));
  }
}

async function withinTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("Redis does not answer")), COMMAND_TIMEOUT_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
