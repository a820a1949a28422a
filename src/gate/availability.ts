import { placeOf } from "../core/index.ts";
import type { BreakerState, Clock, Emit, Provider, Random } from "../core/index.ts";
import type { Shut } from "./admission.ts";
import { Breaker } from "./breaker.ts";
import type { BreakerChange, BreakerSettings } from "./breaker.ts";
import type { Fleet, FleetSeat, FleetState } from "./fleet/fleet.ts";
import type { Pause } from "./pause.ts";
import { probe } from "./probe.ts";
import type { ProbeResult } from "./probe.ts";
import { rampAt } from "./ramp.ts";
import type { RampSettings } from "./ramp.ts";

export type AvailabilitySettings = BreakerSettings & {
  /** A probe that takes longer than this has failed. */
  readonly probeTimeoutMs: number;
  /** Least time open after an `auth` failure: people must act first. */
  readonly authOpenMs: number;
  /** A probe that takes longer than this shows no provider that has come back. */
  readonly slowAfterMs: number;
  readonly ramp: RampSettings;
};

export type AvailabilityParts = {
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: Emit;
  readonly fleet: Fleet;
  /** Told when nobody may go there any more, with the reason. */
  readonly onShut: (reason: string) => void;
  readonly onPause: (pause: Pause) => void;
};

/** What a failure says about its provider, beside its reason. */
type Blame = {
  readonly remedy?: string | undefined;
  /** Least time that the breaker stays open for it, in milliseconds. */
  readonly openMs?: number | null;
};

/** A breaker that is being probed has its verdict within a probe's time; a message that meets it comes back shortly. */
const PROBED_WAIT_MS = 1_000;

/**
 * Whether a provider can be had: this worker's breaker, what the fleet holds of it, and the ramp on the way back.
 *
 * The breaker finds an outage; the fleet's state is what counts for all. While the fleet holds a provider open, only the
 * fleet probes it, and breakers close with the fleet's good probe. Where the fleet is away, or did not agree since the
 * trouble may be this worker's own, the worker probes and comes back alone.
 */
export class Availability {
  readonly #provider: Provider;
  readonly #settings: AvailabilitySettings;
  readonly #parts: AvailabilityParts;
  readonly #breaker: Breaker;
  readonly #seat: FleetSeat;
  readonly #closing = new AbortController();
  #remedy: string | null = null;
  #openMs: number | null = null;
  #isProbing = false;
  /** When this worker's own probe went well. */
  #backSince: number | null = null;
  #stepTimer: NodeJS.Timeout | undefined;
  #toldStep: { readonly startedAt: number; readonly percent: number } | null = null;

  constructor(provider: Provider, settings: AvailabilitySettings, parts: AvailabilityParts) {
    this.#provider = provider;
    this.#settings = settings;
    this.#parts = parts;
    this.#breaker = new Breaker(settings, { ...parts, onChange: (change) => this.#breakerChanged(change) });
    this.#seat = parts.fleet.join(provider.name, {
      probe: (signal) => this.#probe(signal),
      onChange: (from, to) => this.#fleetChanged(from, to),
      onPause: parts.onPause,
    });
  }

  get breakerState(): BreakerState {
    return this.#breaker.state;
  }

  get seat(): FleetSeat {
    return this.#seat;
  }

  /** Share of its mail that the provider gets now, in percent; 0 while it gets none. */
  get percent(): number {
    if (this.#heldOpen() !== null || this.#breaker.state !== "closed") return 0;
    return Math.round(this.#rampNow().share * 100);
  }

  /**
   * Why this message may not go now, or null. `alone`: no other provider is left for it; then a provider on its way back
   * takes as much as its share of the connections can carry, `inFlight` being those in use.
   */
  shut(messageId: string, { alone, inFlight }: { readonly alone: boolean; readonly inFlight: number }): Shut | null {
    const now = this.#parts.clock();
    const held = this.#heldOpen();
    if (held !== null) {
      const untilAt = held.untilAt > now ? held.untilAt : now + PROBED_WAIT_MS;
      return { cause: "breaker", reason: `breaker open for the fleet: ${held.reason}`, untilAt };
    }
    if (this.#breaker.state !== "closed") {
      this.#probeAlone();
      const untilAt = this.#breaker.state === "open" ? (this.#breaker.untilAt ?? now) : now + PROBED_WAIT_MS;
      return { cause: "breaker", reason: `breaker ${this.#breaker.state}: ${this.#breaker.reason}`, untilAt };
    }
    const { share, nextAt } = this.#rampNow();
    if (nextAt === null) return null;
    const isIn = alone
      ? inFlight < Math.max(1, Math.floor(share * this.#provider.capabilities.maxConnections))
      : placeOf(messageId, `ramp ${this.#provider.name}`) < share;
    if (isIn) return null;
    const reason = `on its way back: it gets ${Math.round(share * 100)} % of its mail`;
    return { cause: "ramp", reason, untilAt: nextAt };
  }

  async success(): Promise<void> {
    await this.#breaker.success();
  }

  /** An attempt showed the provider at fault. On the way back one is enough. */
  async failure(reason: string, { remedy, openMs = null }: Blame = {}): Promise<void> {
    this.#blame({ remedy, openMs });
    if (this.#rampNow().nextAt === null) await this.#breaker.failure(reason, openMs);
    else this.#breaker.trip(`it failed on its way back: ${reason}`, openMs);
  }

  /** Opens at once. */
  trip(reason: string, { remedy, openMs = null }: Blame = {}): void {
    this.#blame({ remedy, openMs });
    this.#breaker.trip(reason, openMs);
  }

  close(): void {
    this.#closing.abort(new Error("the gate is closed"));
    clearTimeout(this.#stepTimer);
    this.#breaker.shutdown();
  }

  #blame({ remedy, openMs = null }: Blame): void {
    if (this.#breaker.state !== "closed") return;
    this.#remedy = remedy ?? null;
    this.#openMs = openMs;
  }

  #heldOpen(): Extract<FleetState, { kind: "open" }> | null {
    const { connected, state } = this.#seat;
    return connected && state.kind === "open" ? state : null;
  }

  #rampNow(): { readonly share: number; readonly startedAt: number; readonly nextAt: number | null } {
    const { connected, state } = this.#seat;
    const ofFleet = connected && state.kind === "ramp" ? state.startedAt : null;
    // The later of the two: a worker that came back alone has its own way behind it, or before it.
    const startedAt = Math.max(ofFleet ?? 0, this.#backSince ?? 0);
    return { startedAt, ...rampAt(this.#settings.ramp, startedAt, this.#parts.clock()) };
  }

  #breakerChanged(change: BreakerChange): void {
    const { emit, clock, onShut } = this.#parts;
    const remedy = change.to === "closed" ? null : this.#remedy;
    emit({ type: "breaker.changed", provider: this.#provider.name, ...change, remedy });
    if (change.to === "open") {
      this.#seat.vote({ reason: change.reason, remedy, atLeastMs: this.#openMs });
      this.#backSince = null;
      onShut("the breaker opened");
    } else if (change.to === "half-open") {
      this.#probeAlone();
    } else {
      this.#seat.vote(null);
      this.#openMs = null;
      if (this.#seat.connected && this.#seat.state.kind === "ramp") return;
      this.#backSince = clock();
      this.#announceSteps();
    }
  }

  #fleetChanged(from: FleetState, to: FleetState): void {
    const { emit, onShut } = this.#parts;
    emit({
      type: "fleet.changed",
      provider: this.#provider.name,
      from: from.kind,
      to: to.kind,
      reason: this.#reasonOf(to),
      remedy: to.kind === "open" ? to.remedy : null,
      untilAt: to.kind === "open" ? to.untilAt : null,
    });
    if (to.kind === "open") {
      this.#backSince = null;
      onShut("the breaker of the fleet opened");
    } else if (to.kind === "ramp") {
      this.#breaker.reset("a probe of the fleet went well");
      this.#announceSteps();
    } else {
      // It may have been waiting for the fleet's probe.
      this.#probeAlone();
    }
  }

  #reasonOf(to: FleetState): string {
    if (to.kind === "open") return to.reason;
    return to.kind === "closed" && !this.#seat.connected ? "the fleet cannot be heard" : REASONS[to.kind];
  }

  /** Where nobody else does it. */
  #probeAlone(): void {
    if (this.#breaker.state !== "half-open" || this.#isProbing || this.#heldOpen() !== null) return;
    this.#isProbing = true;
    void this.#probe(this.#closing.signal).then(async (result) => {
      this.#isProbing = false;
      if (this.#closing.signal.aborted) return;
      if (result.ok) return this.#breaker.probeSucceeded();
      const openMs = result.failure?.cause === "auth" ? this.#settings.authOpenMs : null;
      this.#remedy = result.failure?.remedy ?? null;
      this.#openMs = openMs;
      return this.#breaker.probeFailed(result.reason, openMs);
    });
  }

  async #probe(signal: AbortSignal): Promise<ProbeResult> {
    const { probeTimeoutMs, slowAfterMs } = this.#settings;
    const both = AbortSignal.any([signal, this.#closing.signal]);
    const limits = { timeoutMs: probeTimeoutMs, slowAfterMs, clock: this.#parts.clock, signal: both };
    const result = await probe(this.#provider, limits);
    if (!both.aborted) {
      const { ok, stage, reason } = result;
      this.#parts.emit({ type: "probe.ended", provider: this.#provider.name, ok, stage, reason });
    }
    return result;
  }

  /** Says what share of its mail the provider gets, at each step until it is all. */
  #announceSteps(): void {
    clearTimeout(this.#stepTimer);
    const { clock, emit } = this.#parts;
    const { share, startedAt, nextAt } = this.#rampNow();
    const percent = Math.round(share * 100);
    // A timer may ring a little before its step.
    const sinceToldMs = startedAt - (this.#toldStep?.startedAt ?? 0);
    const isTold = this.#toldStep?.percent === percent && Math.abs(sinceToldMs) < this.#settings.ramp.stepMs / 2;
    if (!isTold) emit({ type: "ramp.stepped", provider: this.#provider.name, percent });
    this.#toldStep = { startedAt, percent };
    if (nextAt === null) return;
    const next = (): void => {
      if (this.percent > 0) this.#announceSteps();
    };
    this.#stepTimer = setTimeout(next, Math.max(1, nextAt - clock())).unref();
  }
}

const REASONS = { ramp: "a probe went well", closed: "all of its mail goes there" } as const;
