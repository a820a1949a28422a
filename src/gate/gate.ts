import { CAUSES, contentHasBegun, placeOf } from "../core/index.ts";
import type { BreakerState, Clock, Emit, Failure, Outcome, Provider, Random } from "../core/index.ts";
import type { Admission, Shut } from "./admission.ts";
import { Availability } from "./availability.ts";
import type { AvailabilitySettings } from "./availability.ts";
import type { Fleet } from "./fleet/fleet.ts";
import { soloFleet } from "./fleet/solo-fleet.ts";
import { Jam } from "./jam.ts";
import { unlimited } from "./limits/limiter.ts";
import type { Limiter } from "./limits/limiter.ts";
import { openPassage } from "./passage.ts";
import type { Passage } from "./passage.ts";
import { Pauses } from "./pause.ts";
import type { Pause, PauseSettings } from "./pause.ts";
import { SenderMemory } from "./sender-memory.ts";
import type { RefusalBoard } from "./sender-memory.ts";
import { Slowness } from "./slowness.ts";
import type { SlownessSettings, Timing } from "./slowness.ts";
import { Standstill } from "./standstill.ts";

export type GateSettings = {
  readonly breaker: Omit<AvailabilitySettings, "ramp" | "slowAfterMs"> & {
    /** Share of its mail after a good probe, in percent, step by step, and the time of each step. */
    readonly rampPercents: readonly number[];
    readonly rampStepMs: number;
    /**
     * Least time open when a lost answer to the content opens it: each may cost a second copy, and no probe, which sends
     * no content, can tell whether it is over.
     */
    readonly uncertainOpenMs: number;
  };
  readonly brownout: SlownessSettings;
  readonly throttle: PauseSettings;
  /** How long a refused From is remembered. */
  readonly senderRememberMs: number;
  /** An attempt still short of its content after this long counts as a failure while it runs. */
  readonly slowAfterMs: number;
};

export type GateParts = {
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: Emit;
  /** Absent: the gate decides alone. */
  readonly fleet?: Fleet;
  /** Absent: there are no limits. */
  readonly limiter?: Limiter;
  /** Absent: nobody is told of refused From addresses. */
  readonly refusals?: RefusalBoard;
  /** When a quota that is used up is renewed, as far as that is configured. Epoch milliseconds. */
  readonly quotaRenewedAt?: (now: number) => number;
};

/** What is asked at the gate: about which message, and whether another provider is left for it. */
export type Bearer = {
  readonly id: string;
  readonly from: string;
  /** No other provider can take it now: a gate that only spares its provider lets it through. */
  readonly isAlone?: boolean;
};

/** A message that meets a standstill comes back shortly: by then there is a verdict, or it is over. */
const STANDSTILL_WAIT_MS = 500;

/** Decides who may go to one provider: availability, pauses, limits, its memory of refused senders. */
export class Gate {
  readonly provider: Provider;
  readonly limiter: Limiter;
  readonly #settings: GateSettings;
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #availability: Availability;
  readonly #standstill: Standstill;
  readonly #jam: Jam;
  readonly #slowness: Slowness;
  readonly #pauses: Pauses;
  readonly #senders: SenderMemory;
  readonly #passages = new Set<Passage>();
  readonly #quotaRenewedAt: GateParts["quotaRenewedAt"];
  #lastFailure: { readonly failure: Failure; readonly at: number } | null = null;

  constructor(provider: Provider, settings: GateSettings, parts: GateParts) {
    const { clock, emit, fleet = soloFleet, limiter = unlimited } = parts;
    this.provider = provider;
    this.limiter = limiter;
    this.#quotaRenewedAt = parts.quotaRenewedAt;
    this.#settings = settings;
    this.#clock = clock;
    this.#emit = emit;
    const { breaker, slowAfterMs } = settings;
    const ramp = { percents: breaker.rampPercents, stepMs: breaker.rampStepMs };
    // A provider with three connections cannot fail five times at once; but one failure is no row of them.
    const most = Math.max(2, provider.capabilities.maxConnections);
    const consecutiveFailures = Math.min(breaker.consecutiveFailures, most);
    this.#availability = new Availability(
      provider,
      { ...breaker, consecutiveFailures, slowAfterMs, ramp },
      {
        ...parts,
        fleet,
        onShut: (reason) => this.#abandon(reason),
        onPause: (pause) => this.#paused(pause),
      },
    );
    // What takes time is measured by a clock that is never set.
    const stopwatch: Clock = () => performance.now();
    this.#standstill = new Standstill({
      clock: stopwatch,
      slowAfterMs,
      onBegin: (others) => {
        // Who waits for a connection would only come to the same stage.
        const waiting = [...this.#passages].filter((passage) => passage.stage() === "queue");
        for (const passage of [...others, ...waiting]) passage.abandon("the provider stands still");
      },
    });
    this.#jam = new Jam({
      clock: stopwatch,
      slowAfterMs,
      onBegin: (waiting) => {
        for (const passage of waiting) passage.abandon("nothing moves on any connection");
      },
    });
    this.#slowness = new Slowness(settings.brownout, {
      clock: stopwatch,
      onChange: ({ to, reason }) =>
        emit({ type: "gate.slowed", provider: provider.name, percent: Math.round(to * 100), reason }),
    });
    this.#pauses = new Pauses(settings.throttle, parts);
    this.#senders = new SenderMemory(provider.name, settings.senderRememberMs, parts);
  }

  get breakerState(): BreakerState {
    return this.#availability.breakerState;
  }

  get isPaused(): boolean {
    return this.#pause() !== null;
  }

  /** Share of its mail that the provider may get now, in percent. */
  get percent(): number {
    if (this.#pause() !== null) return 0;
    return Math.min(this.#availability.percent, Math.round(this.#slowness.share * 100));
  }

  /** Why it gets less of its mail for being slow, in words; null: it is not. */
  get slowReason(): string | null {
    return this.#slowness.share === 1 ? null : this.#slowness.reason;
  }

  /** What it failed with last, and when (epoch milliseconds); null: it did not. */
  get lastFailure(): { readonly failure: Failure; readonly at: number } | null {
    return this.#lastFailure;
  }

  /** Whether this message may go now. Limits are asked after that, by `limiter`, since that takes a slot. */
  admit(bearer: Bearer): Admission {
    const shut = this.#pause() ?? this.#unavailable(bearer) ?? this.#refused(bearer);
    return shut === null ? { open: true } : { open: false, ...shut };
  }

  /** A message went elsewhere since the provider is slow. */
  passedBy(): void {
    this.#standstill.passedBy();
  }

  /** Follows one attempt from its start. The caller ends it with its outcome. */
  begin(from: string): Passage {
    let timing: Timing | null = null;
    const passage = openPassage({
      slowAfterMs: this.#settings.slowAfterMs,
      onSlow: (slow) => void this.#slow(slow),
      onProgress: (moving, stage) => {
        this.#standstill.progressed(moving, stage);
        this.#jam.progressed(moving);
        timing ??= this.#slowness.begin();
        if (contentHasBegun(stage)) timing.reachedContent();
      },
      onEnd: (_ended, outcome, hadVerdict) => this.#learn(from, outcome, hadVerdict),
      onGone: (gone, outcome) => {
        this.#passages.delete(gone);
        this.#standstill.gone(gone);
        this.#jam.gone(gone, outcome.kind === "relayed");
        timing?.end();
      },
    });
    this.#passages.add(passage);
    this.#jam.waits(passage);
    return passage;
  }

  /** Ends timers and the probe; attempts under way are the caller's. */
  close(): void {
    this.#standstill.close();
    this.#jam.close();
    this.#availability.close();
  }

  /** The longer of this worker's own pause and the fleet's. */
  #pause(): Pause | null {
    const { current: own } = this.#pauses;
    const { pause: shared, connected } = this.#availability.seat;
    if (shared === null || !connected || shared.untilAt <= this.#clock()) return own;
    return own === null || shared.untilAt > own.untilAt ? shared : own;
  }

  #unavailable({ id, isAlone = false }: Bearer): Shut | null {
    const shut = this.#availability.shut(id, { alone: isAlone, inFlight: this.#passages.size });
    if (shut !== null || isAlone) return shut;
    const { stage } = this.#standstill;
    if (stage !== null || this.#jam.isOn) {
      const how = stage === null ? "nothing moves on any connection" : `no attempt gets past stage ${stage}`;
      return { cause: "slow", reason: `it stands still: ${how}`, untilAt: this.#clock() + STANDSTILL_WAIT_MS };
    }
    const { share, reason } = this.#slowness;
    if (share === 1 || placeOf(id, `slow ${this.provider.name}`) < share) return null;
    const untilAt = this.#clock() + this.#settings.brownout.windowMs / 3;
    return { cause: "slow", reason: `it gets ${Math.round(share * 100)} % of its mail: ${reason}`, untilAt };
  }

  #refused({ from }: Bearer): Shut | null {
    const refusal = this.#senders.find(from);
    if (refusal === null) return null;
    return { cause: "sender", reason: `refuses this From: ${refusal.reason}`, untilAt: refusal.untilAt };
  }

  async #slow(passage: Passage): Promise<void> {
    const reason = `still in stage ${passage.stage()} after ${this.#settings.slowAfterMs} ms`;
    if (this.#standstill.speaksForMany(passage)) this.#availability.trip(`nobody got further meanwhile, ${reason}`);
    else {
      const isEnough = this.#standstill.keptOthersAway(passage);
      await this.#availability.failure(reason);
      if (isEnough) passage.abandon("it is slow, and others went elsewhere for it");
    }
  }

  /** What one outcome means for those that come after it. `hadVerdict`: its breaker has had its verdict already. */
  async #learn(from: string, outcome: Outcome, hadVerdict: boolean): Promise<void> {
    if (outcome.kind === "relayed") {
      this.#pauses.succeeded();
      // It works: what it has against single recipients is theirs, except a limit that it met on the way.
      for (const { failure } of outcome.refused) this.#pauseFor(failure);
      if (outcome.restMs !== undefined)
        this.#rest("throttled", "its rate is used up, as it says itself", outcome.restMs);
      if (!hadVerdict) await this.#availability.success();
      return;
    }
    const { failure } = outcome;
    this.#pauseFor(failure);
    if (failure.scope === "provider") this.#lastFailure = { failure, at: this.#clock() };
    if (failure.cause === "sender") this.#senders.remember(from, failure);
    const { authOpenMs, uncertainOpenMs } = this.#settings.breaker;
    const verdict = CAUSES[failure.cause].breaker;
    if (verdict === "trip" && failure.stage !== "rcpt") {
      this.#availability.trip(failure.reason, { remedy: failure.remedy, openMs: authOpenMs });
    } else if ((verdict === "failure" || verdict === "trip") && failure.scope === "provider") {
      // Also where it would not relay to one recipient: that may be the recipient's alone, or keep all of them out.
      const openMs = failure.cause === "uncertain" ? uncertainOpenMs : null;
      if (!hadVerdict) await this.#availability.failure(failure.reason, { remedy: failure.remedy, openMs });
    } else if (verdict === "success") {
      if (!hadVerdict) await this.#availability.success();
    }
  }

  #pauseFor({ cause, scope, reason, retryAfterMs }: Failure): void {
    // A limit of one recipient's mailbox is no concern of the others.
    if ((cause !== "throttled" && cause !== "quota") || scope !== "provider") return;
    if (cause === "throttled") this.limiter.tooFast(reason);
    const now = this.#clock();
    const renewedAt = cause === "quota" ? (this.#quotaRenewedAt?.(now) ?? now) : now;
    this.#rest(cause, reason, retryAfterMs ?? renewedAt - now);
  }

  #rest(cause: Pause["cause"], reason: string, forMs: number): void {
    const pause = this.#pauses.begin(cause, reason, forMs);
    if (pause === null) return;
    this.#availability.seat.share(pause);
    this.#paused(pause);
  }

  #paused(pause: Pause): void {
    this.#emit({ type: "gate.paused", provider: this.provider.name, ...pause });
    // Those that wait for a connection would only be told the same.
    for (const passage of this.#passages) if (passage.stage() === "queue") passage.abandon("the provider is paused");
  }

  #abandon(reason: string): void {
    for (const passage of this.#passages) passage.abandon(reason);
  }
}
