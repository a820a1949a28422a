import CircuitBreaker from "opossum";
import type { BreakerState, Clock, Random } from "../core/index.ts";

export type BreakerSettings = {
  /** Length of the sliding window in which calls are counted. */
  readonly windowMs: number;
  /** Calls the window must hold before a share of failures opens the breaker. */
  readonly minimumCalls: number;
  /** Failures, in percent of the calls in the window, that open the breaker. */
  readonly openAtPercent: number;
  /**
   * Failures in a row that open the breaker whatever their share is, and however far apart they are: in a busy hour a
   * window full of good calls would hide the first seconds of an outage, in a quiet one a window never fills.
   */
  readonly consecutiveFailures: number;
  /** First time open before a probe; it grows by `openGrowth` up to `openMaxMs`, each time jittered. */
  readonly openMs: number;
  readonly openMaxMs: number;
  readonly openGrowth: number;
  /** The jitter: up to so many percent longer or shorter. */
  readonly jitterPercent: number;
};

export type BreakerChange = {
  readonly from: BreakerState;
  readonly to: BreakerState;
  readonly reason: string;
  readonly untilAt: number | null;
};

/**
 * The breaker of one provider: opossum keeps the window, the states and the timer; this file adds what a mail gateway
 * needs. It never runs an attempt itself: attempts report success or failure as soon as either is known, which may be
 * while they still run. Results that come in while it is not closed are of attempts from before and say nothing new.
 */
export class Breaker {
  readonly #settings: BreakerSettings;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onChange: (change: BreakerChange) => void;
  readonly #options: CircuitBreaker.Options<[boolean]>;
  #circuit: CircuitBreaker<[boolean], void>;
  #reason = "";
  #failuresInRow = 0;
  #openings = 0;
  #atLeastMs = 0;
  #openedForMs = 0;
  #closedAt = 0;
  #untilAt: number | null = null;

  constructor(
    settings: BreakerSettings,
    parts: { clock: Clock; random: Random; onChange: (change: BreakerChange) => void },
  ) {
    this.#settings = settings;
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#onChange = parts.onChange;
    this.#options = {
      // A time limit here would throw a late success away; time limits are the provider's.
      timeout: false,
      rollingCountTimeout: settings.windowMs,
      volumeThreshold: settings.minimumCalls,
      // opossum opens above its threshold, we open at it.
      errorThresholdPercentage: settings.openAtPercent - 0.001,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      resetTimeout: settings.openMs,
    } as CircuitBreaker.Options<[boolean]>;
    this.#circuit = this.#newCircuit();
  }

  #state: BreakerState = "closed";

  get state(): BreakerState {
    return this.#state;
  }

  /** When the next probe is due; null while closed. */
  get untilAt(): number | null {
    return this.#untilAt;
  }

  /** Why it is in its state, in words. */
  get reason(): string {
    return this.#reason;
  }

  /** An attempt went well. */
  async success(): Promise<void> {
    if (this.#state !== "closed") return;
    this.#failuresInRow = 0;
    await this.#fire(true);
  }

  /** An attempt showed the provider at fault. Where this opens the breaker, it is for `openMs` at least. */
  async failure(reason: string, openMs: number | null = null): Promise<void> {
    if (this.#state !== "closed") return;
    this.#failuresInRow += 1;
    if (this.#failuresInRow >= this.#settings.consecutiveFailures) {
      this.trip(`${this.#failuresInRow} failures in a row, the last: ${reason}`, openMs);
      return;
    }
    this.#reason = `too many failures, the last: ${reason}`;
    this.#atLeastMs = openMs ?? 0;
    await this.#fire(false);
    this.#atLeastMs = 0;
  }

  /** Opens at once, for at least `openMs` where it is given. */
  trip(reason: string, openMs: number | null = null): void {
    if (this.#state === "open") return;
    this.#reason = reason;
    this.#atLeastMs = openMs ?? 0;
    this.#circuit.open();
    this.#atLeastMs = 0;
  }

  /** A half-open breaker's probe went well. */
  async probeSucceeded(): Promise<void> {
    if (this.#state !== "half-open") return;
    this.#reason = "the probe went well";
    await this.#fire(true);
  }

  /** Closes whatever its state is: somebody else found that the provider works. */
  reset(reason: string): void {
    if (this.#state === "closed") return;
    this.#reason = reason;
    this.#circuit.close();
  }

  /** A half-open breaker's probe failed: open again, for longer. */
  probeFailed(reason: string, openMs: number | null = null): void {
    if (this.#state !== "half-open") return;
    this.trip(`probe failed: ${reason}`, openMs);
  }

  /** Ends all timers. */
  shutdown(): void {
    this.#circuit.shutdown();
  }

  #newCircuit(): CircuitBreaker<[boolean], void> {
    const circuit = new CircuitBreaker(async (ok: boolean) => {
      if (!ok) throw new Error("failure");
    }, this.#options);
    // Before opossum's own listener, which starts the timer with the time it finds in the options.
    circuit.prependListener("open", () => this.#setOpenTime());
    circuit.on("open", () => this.#changed("open"));
    circuit.on("halfOpen", () => this.#changed("half-open"));
    circuit.on("close", () => this.#changed("closed"));
    return circuit;
  }

  async #fire(ok: boolean): Promise<void> {
    // The rejection is the failure that was just reported; opossum counted it.
    await this.#circuit.fire(ok).catch(() => undefined);
  }

  /** An opening soon after a closing is the same trouble: the time grows. A good spell in between starts it anew. */
  #setOpenTime(): void {
    const { openMs, openMaxMs, openGrowth, jitterPercent, windowMs } = this.#settings;
    const relapse = this.#state === "half-open" || this.#clock() - this.#closedAt < this.#openedForMs + windowMs;
    this.#openings = relapse ? this.#openings + 1 : 1;
    const grown = Math.min(openMaxMs, openMs * openGrowth ** (this.#openings - 1));
    const jitter = 1 + ((this.#random() * 2 - 1) * jitterPercent) / 100;
    this.#openedForMs = Math.round(Math.max(grown, this.#atLeastMs) * jitter);
    this.#options.resetTimeout = this.#openedForMs;
  }

  #changed(to: BreakerState): void {
    const from = this.#state;
    if (from === to) return;
    const now = this.#clock();
    this.#state = to;
    if (to === "open") {
      this.#untilAt = now + this.#openedForMs;
    } else if (to === "half-open") {
      this.#reason = "being probed";
      this.#untilAt = now;
    } else {
      // opossum's window still holds the failures of before; a provider that came back starts with an empty one.
      this.#circuit.shutdown();
      this.#circuit = this.#newCircuit();
      this.#closedAt = now;
      this.#untilAt = null;
      this.#failuresInRow = 0;
    }
    this.#onChange({ from, to, reason: this.#reason, untilAt: this.#untilAt });
  }
}
