import { randomBytes } from "node:crypto";
import type { Clock, Emit, LimitSettings, MessageClass, Random } from "../../core/index.ts";
import type { RedisClient } from "../../redis/connection.ts";
import { ConnectionLeases } from "./connection-leases.ts";
import type { Lease } from "./connection-leases.ts";
import type { LimitCause, Limiter, SlotAnswer, SlotRequest } from "./limiter.ts";
import { QuotaWatch } from "./quota-watch.ts";
import { LimitStore } from "./limit-store.ts";
import { CONNECTION_LEASE_MS, DEFAULT_PACE } from "./script-arguments.ts";
import type { Argument, PaceSettings } from "./script-arguments.ts";
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

/** An attempt that is told to stop gets some time for it; and clocks do not run at quite the same speed. */
export const ATTEMPT_MARGIN_MS = 30_000;

/** An end that Redis did not take is told again after these times; after that, the lease of the attempt runs out. */
const END_RETRIES_MS = [1_000, 3_000, 10_000];
const ENDS_WAITING = 1_000;

/** What an attempt came to. `closed`: the name of its connection, where it is closed by now. */
type Ended = {
  readonly sent: boolean;
  readonly recipientCount: number;
  readonly tookMs: number;
  readonly closed: string;
};

/** One provider's limits, kept in Redis for the whole fleet. What is asked for is counted by Redis's clock. */
export class RedisLimiter implements Limiter {
  readonly #options: RedisLimiterOptions;
  readonly #store: LimitStore;
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
    this.#pace = options.pace ?? DEFAULT_PACE;
    this.#store = new LimitStore({
      ...options,
      pace: this.#pace,
      leaseMs: options.attemptTimeoutMs + ATTEMPT_MARGIN_MS,
    });
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
      answer = (await this.#store.run("limitReserve", asked)) as Argument[];
    } catch {
      if (lease !== null) this.#leases.untouched(lease);
      // It may have been granted all the same.
      this.#end(token, { sent: false, recipientCount, tookMs: 0, closed: "" });
      return this.#later(request, "store", STORE_WAIT_MS);
    }
    return answer[0] === 1 ? this.#granted(request, token, lease, answer) : this.#refused(request, lease, answer);
  }

  release(id: string): void {
    // One that stays is no more than a message that does not come.
    void this.#store.run("limitRelease", [id]).catch(() => undefined);
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
    const answer = await this.#store.run("limitTooFast", [factor, least, onceInMs, unreported]);
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
    const limit = (await this.#store.run("limitReport", [done.attempts, done.messages, done.recipients])) as number;
    return limit === 0 ? null : limit;
  }

  /** To be called when all connections are closed: gives the rights to them back. Never throws. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#renewal !== null) clearInterval(this.#renewal);
    for (const retry of this.#retries) clearTimeout(retry);
    const names = this.#leases.clear();
    if (names.length > 0) await this.#store.run("limitRenew", [0, ...names]).catch(() => undefined);
  }

  /** Keeps the connections that are in use, gives others back. Called by itself while there are any. Never throws. */
  async renew(): Promise<void> {
    const { kept, dropped } = this.#leases.sweep();
    if (kept.length + dropped.length > 0) {
      // What cannot be said now is said the next time, or runs out.
      const answer = await this.#store.run("limitRenew", [kept.length, ...kept, ...dropped]).catch(() => 0);
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
        const isClosed = lease !== null && this.#leases.ended(lease);
        const tookMs = Math.max(0, Math.round(clock() - startedAt));
        const { recipientCount } = request;
        this.#end(token, { sent, recipientCount, tookMs, closed: isClosed ? lease.name : "" });
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

  #end(token: string, ended: Ended, tries = 0): void {
    const { sent, recipientCount, tookMs, closed } = ended;
    const told = this.#store.run("limitEnd", [token, sent ? "1" : "0", recipientCount, tookMs, closed]);
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
}
