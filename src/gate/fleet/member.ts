import { randomUUID } from "node:crypto";
import type { Clock, Random } from "../../core/index.ts";
import type { BreakerSettings } from "../breaker.ts";
import type { RampSettings } from "../ramp.ts";
import { ClockOffset } from "./clock-offset.ts";
import type { SeatParts } from "./fleet.ts";
import { Seat } from "./seat.ts";
import type { FleetStore, Rules } from "./store.ts";

export type FleetSettings = {
  /** Workers whose breakers must be open for all to shut; `auto`: 1 of one or two, 2 of more. */
  readonly quorum: number | "auto";
  readonly breaker: Pick<BreakerSettings, "windowMs" | "openMs" | "openMaxMs" | "openGrowth" | "jitterPercent"> & {
    /** A probe that takes longer than this has failed. */
    readonly probeTimeoutMs: number;
    /** Least time open after an `auth` failure: people must act first. */
    readonly authOpenMs: number;
  };
  readonly ramp: RampSettings;
};

export type MemberOptions = {
  readonly store: FleetStore;
  /** Of the worker, such as `host:pid`. */
  readonly name: string;
  readonly settings: FleetSettings;
  /** What this worker tells of itself, for people: JSON, asked for with each beat. */
  readonly status: () => string;
  readonly clock: Clock;
  readonly random: Random;
  /** A seat has news that should not wait for the next beat. */
  readonly onNews: () => void;
  /** Told of errors thrown by what is called back. */
  readonly onError: (error: Error) => void;
};

/** Between a probe's own time limit, the one it is held to here, and the end of its lease. */
const LEASE_MARGIN_MS = 2_500;

/** One worker's part in the fleet, beat by beat; when to beat is decided by whoever has it. */
export class Member {
  /** Its name, and which of those that had this name it is: a worker that died leaves votes behind. */
  readonly id: string;
  readonly #options: MemberOptions;
  readonly #rules: Rules;
  readonly #seats = new Map<string, Seat>();
  readonly #clockOffset = new ClockOffset();
  readonly #leaving = new AbortController();

  constructor(options: MemberOptions) {
    this.id = `${options.name}#${randomUUID().slice(0, 8)}`;
    this.#options = options;
    this.#rules = rulesOf(options.settings);
  }

  join(provider: string, parts: SeatParts): Seat {
    const { clock, random, onNews, settings } = this.#options;
    const seat = new Seat(parts, {
      workerId: this.id,
      clock,
      random,
      authOpenMs: settings.breaker.authOpenMs,
      probeLimitMs: settings.breaker.probeTimeoutMs + LEASE_MARGIN_MS,
      leaving: this.#leaving.signal,
      onNews: () => {
        if (!this.#leaving.signal.aborted) onNews();
      },
    });
    this.#seats.set(provider, seat);
    return seat;
  }

  /** Says that this worker lives and what it has to say, and takes in what it hears. Rejects where Redis cannot be had. */
  async beat(): Promise<void> {
    const { store, clock } = this.#options;
    const seats = [...this.#seats];
    const news = new Map(seats.map(([provider, seat]) => [provider, seat.news()]));
    const sentAt = clock();
    const answer = await store.beat({ id: this.id, status: this.#status() }, this.#rules, news);
    if (this.#leaving.signal.aborted) return;
    this.#clockOffset.measure(sentAt, clock(), answer.now);
    const toOwnClock = (at: number): number => this.#clockOffset.toOwn(at);
    for (const [index, [provider, seat]] of seats.entries()) {
      const [heard, told] = [answer.seats[index], news.get(provider)];
      if (heard !== undefined && told !== undefined) this.#guard(() => seat.heard(heard, told, toOwnClock));
    }
  }

  /** The fleet cannot be heard. */
  lost(): void {
    for (const seat of this.#seats.values()) this.#guard(() => seat.lost());
  }

  /** When a beat is due before the usual time, by the own clock; Infinity: none is. */
  dueAt(): number {
    const now = this.#options.clock();
    const due = [...this.#seats.values()].map((seat) => seat.dueAt(this.#rules.rampMs));
    return Math.min(Infinity, ...due.filter((at) => at > now));
  }

  /** Ends its probes and takes back its votes. Nothing is called back from then on. Rejects as `beat` does. */
  async leave(): Promise<void> {
    this.#leaving.abort(new Error("the worker leaves its fleet"));
    await this.#options.store.leave(this.id, [...this.#seats.keys()]);
  }

  #status(): string {
    let status = "";
    this.#guard(() => {
      status = this.#options.status();
    });
    return status;
  }

  /** What is called back is not ours; its defects must not look like those of Redis. */
  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#options.onError(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

function rulesOf({ quorum, breaker, ramp }: FleetSettings): Rules {
  const { openMs, openMaxMs, openGrowth, jitterPercent, windowMs, probeTimeoutMs } = breaker;
  return {
    quorum: quorum === "auto" ? 0 : quorum,
    openMs,
    openMaxMs,
    openGrowth,
    jitterPercent,
    windowMs,
    rampMs: ramp.percents.length * ramp.stepMs,
    leaseMs: probeTimeoutMs + 2 * LEASE_MARGIN_MS,
  };
}
