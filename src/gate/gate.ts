import { CAUSES, contentHasBegun } from "../core/index.ts";
import type { BreakerState, Clock, Emit, Failure, Outcome, Provider, Random, Stage } from "../core/index.ts";
import { Breaker } from "./breaker.ts";
import type { BreakerChange, BreakerSettings } from "./breaker.ts";
import { Pauses } from "./pause.ts";
import type { PauseSettings } from "./pause.ts";
import { probe } from "./probe.ts";
import { SenderMemory } from "./sender-memory.ts";

export type GateSettings = {
  readonly breaker: BreakerSettings & {
    /** A probe that takes longer than this has failed. */
    readonly probeTimeoutMs: number;
    /** Least time open after an `auth` failure: people must act first. */
    readonly authOpenMs: number;
    /**
     * Least time open when a lost answer to the content opens it: each may cost a second copy, and no probe, which sends
     * no content, can tell whether it is over.
     */
    readonly uncertainOpenMs: number;
  };
  readonly throttle: PauseSettings;
  /** How long a refused From is remembered. */
  readonly senderRememberMs: number;
  /** An attempt still short of its content after this long counts as a failure while it runs. */
  readonly slowAfterMs: number;
};

/** Whether a message may go to the provider now. A shut gate says why in words, and until when where it knows. */
export type Admission =
  | { readonly open: true }
  | {
      readonly open: false;
      readonly cause: "breaker" | "throttled" | "quota" | "sender";
      readonly reason: string;
      readonly untilAt: number;
    };

/** One attempt as its gate follows it. */
export type Passage = {
  /** Aborts when the gate abandons the attempt. */
  readonly signal: AbortSignal;
  /** To be told of each stage as it begins. */
  readonly onStage: (stage: Stage) => void;
  /** How far it came. */
  readonly stage: () => Stage;
  /** Whether the gate shut while it still waited for a connection: nothing was tried. */
  readonly turnedAway: () => boolean;
  /** Abandons the attempt, unless its content has begun and `evenContent` is not given. */
  readonly abandon: (reason: string, evenContent?: boolean) => void;
  /** To be called with the outcome, once. */
  readonly end: (outcome: Outcome) => Promise<void>;
};

/** A half-open breaker has its verdict within a probe's time; a message that meets one comes back shortly. */
const HALF_OPEN_WAIT_MS = 1_000;

/** Decides who may go to one provider: its breaker, its pauses, its memory of refused senders. */
export class Gate {
  readonly provider: Provider;
  readonly #settings: GateSettings;
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #breaker: Breaker;
  readonly #pauses: Pauses;
  readonly #senders: SenderMemory;
  readonly #passages = new Set<Passage>();
  #remedy: string | null = null;
  readonly #closing = new AbortController();

  constructor(provider: Provider, settings: GateSettings, parts: { clock: Clock; random: Random; emit: Emit }) {
    this.provider = provider;
    this.#settings = {
      ...settings,
      breaker: {
        ...settings.breaker,
        // A provider with three connections cannot fail five times at once; but one failure is no row of them.
        consecutiveFailures: Math.min(
          settings.breaker.consecutiveFailures,
          Math.max(2, provider.capabilities.maxConnections),
        ),
      },
    };
    this.#clock = parts.clock;
    this.#emit = parts.emit;
    this.#breaker = new Breaker(this.#settings.breaker, {
      ...parts,
      onChange: (change) => this.#breakerChanged(change),
    });
    this.#pauses = new Pauses(settings.throttle, parts);
    this.#senders = new SenderMemory(settings.senderRememberMs, parts.clock);
  }

  get breakerState(): BreakerState {
    return this.#breaker.state;
  }

  get isPaused(): boolean {
    return this.#pauses.current !== null;
  }

  /** Whether a message from this address may go now. */
  admit(from: string): Admission {
    const pause = this.#pauses.current;
    if (pause !== null) return { open: false, ...pause };
    if (this.#breaker.state !== "closed") {
      const untilAt =
        this.#breaker.state === "half-open"
          ? this.#clock() + HALF_OPEN_WAIT_MS
          : (this.#breaker.untilAt ?? this.#clock());
      return {
        open: false,
        cause: "breaker",
        reason: `breaker ${this.#breaker.state}: ${this.#breaker.reason}`,
        untilAt,
      };
    }
    const refusal = this.#senders.find(from);
    if (refusal !== null)
      return { open: false, cause: "sender", reason: `refuses this From: ${refusal.reason}`, untilAt: refusal.untilAt };
    return { open: true };
  }

  /** Follows one attempt from its start. The caller ends it with its outcome. */
  begin(from: string): Passage {
    const controller = new AbortController();
    let stage: Stage = "queue";
    let counted = false;
    let turnedAway = false;
    let ended = false;
    let timer: NodeJS.Timeout | null = null;
    const slow = (): void => {
      if (contentHasBegun(stage)) return;
      counted = true;
      void this.#breaker.failure(`still in stage ${stage} after ${this.#settings.slowAfterMs} ms`);
    };
    const passage: Passage = {
      signal: controller.signal,
      stage: () => stage,
      turnedAway: () => turnedAway && stage === "queue",
      onStage: (next) => {
        stage = next;
        // Waiting for a connection of our own is not the provider's slowness; the time runs from its first step.
        if (timer === null && next !== "queue" && !ended) timer = setTimeout(slow, this.#settings.slowAfterMs);
      },
      abandon: (reason, evenContent = false) => {
        if (!evenContent && contentHasBegun(stage)) return;
        turnedAway = stage === "queue" && !evenContent;
        controller.abort(new Error(reason));
      },
      end: async (outcome) => {
        ended = true;
        if (timer !== null) clearTimeout(timer);
        this.#passages.delete(passage);
        if (passage.turnedAway()) return;
        await this.#learn(from, outcome, counted || controller.signal.aborted);
      },
    };
    this.#passages.add(passage);
    return passage;
  }

  /** Ends timers and the probe; attempts under way are the caller's. */
  close(): void {
    this.#closing.abort(new Error("the gate is closed"));
    this.#breaker.shutdown();
  }

  /** What one outcome means for those that come after it. `counted`: its breaker has had its verdict already. */
  async #learn(from: string, outcome: Outcome, counted: boolean): Promise<void> {
    if (outcome.kind === "relayed") {
      this.#pauses.succeeded();
      // It works: what it has against single recipients is theirs, except a limit that it met on the way.
      for (const { failure } of outcome.refused) this.#pauseFor(failure);
      if (!counted) await this.#breaker.success();
      return;
    }
    const { failure } = outcome;
    this.#pauseFor(failure);
    if (failure.cause === "sender") this.#senders.remember(from, failure.reason);
    const verdict = CAUSES[failure.cause].breaker;
    if (verdict === "trip" && failure.stage !== "rcpt") {
      this.#remedy = failure.remedy ?? null;
      this.#breaker.trip(failure.reason, this.#settings.breaker.authOpenMs);
    } else if ((verdict === "failure" || verdict === "trip") && failure.scope === "provider") {
      // Also where it would not relay to one recipient: that may be the recipient's alone, or keep all of them out.
      this.#remedy = failure.remedy ?? null;
      const openMs = failure.cause === "uncertain" ? this.#settings.breaker.uncertainOpenMs : null;
      if (!counted) await this.#breaker.failure(failure.reason, openMs);
    } else if (verdict === "success") {
      if (!counted) await this.#breaker.success();
    }
  }

  #pauseFor({ cause, scope, reason, retryAfterMs }: Failure): void {
    // A limit of one recipient's mailbox is no concern of the others.
    if ((cause !== "throttled" && cause !== "quota") || scope !== "provider") return;
    const pause = this.#pauses.begin(cause, reason, retryAfterMs);
    if (pause === null) return;
    this.#emit({ type: "gate.paused", provider: this.provider.name, ...pause });
    // Those that wait for a connection would only be told the same.
    for (const passage of this.#passages) if (passage.stage() === "queue") passage.abandon("the provider is paused");
  }

  #breakerChanged(change: BreakerChange): void {
    const remedy = change.to === "closed" ? null : this.#remedy;
    this.#emit({ type: "breaker.changed", provider: this.provider.name, ...change, remedy });
    if (change.to === "open") {
      for (const passage of this.#passages) passage.abandon("the breaker opened");
    } else if (change.to === "half-open") {
      void this.#probe();
    }
  }

  async #probe(): Promise<void> {
    const { probeTimeoutMs, authOpenMs } = this.#settings.breaker;
    const result = await probe(this.provider, {
      timeoutMs: probeTimeoutMs,
      slowAfterMs: this.#settings.slowAfterMs,
      clock: this.#clock,
      signal: this.#closing.signal,
    });
    if (this.#closing.signal.aborted) return;
    this.#emit({
      type: "probe.ended",
      provider: this.provider.name,
      ok: result.ok,
      stage: result.stage,
      reason: result.reason,
    });
    if (result.ok) {
      await this.#breaker.probeSucceeded();
    } else {
      this.#remedy = result.failure?.remedy ?? null;
      this.#breaker.probeFailed(result.reason, result.failure?.cause === "auth" ? authOpenMs : null);
    }
  }
}
