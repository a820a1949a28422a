import type { Clock, Random } from "../../core/index.ts";
import type { Pause } from "../pause.ts";
import type { ProbeResult } from "../probe.ts";
import type { FleetSeat, FleetState, Opening, SeatParts } from "./fleet.ts";
import { pauseOf, stateOf } from "./reading.ts";
import type { ToOwnClock } from "./reading.ts";
import type { SeatAnswer, SeatNews, StoredState } from "./store.ts";

export type SeatOptions = {
  readonly workerId: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Least time open after a probe found the credentials refused: people must act first. */
  readonly authOpenMs: number;
  /** Longest time that a probe may take; a lease is longer. */
  readonly probeLimitMs: number;
  /** Aborts when the worker leaves. */
  readonly leaving: AbortSignal;
  /** There is something to tell the fleet. */
  readonly onNews: () => void;
};

type Vote = NonNullable<SeatNews["vote"]>;
type Probed = NonNullable<SeatNews["probed"]>;

const CLOSED: FleetState = { kind: "closed" };

const DAY_MS = 86_400_000;

/** Of a reason or remedy, characters: enough for every reply that says something. */
const LONGEST_TEXT = 500;

/** One provider at this worker: what it has to tell the fleet, and what it heard of it. It asks Redis nothing itself. */
export class Seat implements FleetSeat {
  readonly #parts: SeatParts;
  readonly #options: SeatOptions;
  #state = CLOSED;
  #connected = false;
  /** Of the state that was heard last, also while it is not heard any more. */
  #version = 0;
  #vote: Vote | null = null;
  #voteCount = 0;
  #probed: Probed | null = null;
  #isProbing = false;
  #ownPause: Pause | null = null;
  #pauseToTell: Pause | null = null;
  #pauseInNews: Pause | null = null;
  #heardPause: Pause | null = null;
  #heardPauseKey = "";

  constructor(parts: SeatParts, options: SeatOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  get state(): FleetState {
    return this.#state;
  }

  get connected(): boolean {
    return this.#connected;
  }

  get pause(): Pause | null {
    const [heard, own] = [this.#heardPause, this.#ownPause];
    const longest = (heard?.untilAt ?? 0) >= (own?.untilAt ?? 0) ? heard : own;
    return longest !== null && longest.untilAt > this.#options.clock() ? longest : null;
  }

  vote(opening: Opening | null): void {
    if (opening === null && this.#vote === null) return;
    this.#vote = opening === null ? null : this.#voteFor(opening);
    this.#options.onNews();
  }

  share(pause: Pause): void {
    if (pause.untilAt <= (this.pause?.untilAt ?? this.#options.clock())) return;
    this.#ownPause = pause;
    this.#pauseToTell = pause;
    this.#options.onNews();
  }

  /** What is to be told with the next beat. `heard` ends what of it needs no telling any more. */
  news(): SeatNews {
    this.#pauseInNews = this.#pauseToTell;
    return {
      version: this.#version,
      random: this.#options.random(),
      isBusy: this.#isProbing || this.#probed !== null,
      ...(this.#vote === null ? {} : { vote: this.#vote }),
      ...(this.#probed === null ? {} : { probed: this.#probed }),
      ...this.#newsOf(this.#pauseToTell),
    };
  }

  /** The answer to these news. */
  heard({ state, token }: SeatAnswer, told: SeatNews, toOwnClock: ToOwnClock): void {
    if (told.probed === this.#probed) this.#probed = null;
    if (this.#pauseInNews === this.#pauseToTell) this.#pauseToTell = null;
    this.#follow(state, toOwnClock);
    this.#hearPause(state, toOwnClock);
    if (token !== undefined) void this.#probe(token);
  }

  /** The fleet cannot be heard: the worker decides alone. */
  lost(): void {
    this.#connected = false;
    if (this.#state.kind !== "closed") this.#become(CLOSED);
  }

  /** When something falls due of which this worker may be the first to know; Infinity: nothing. By the own clock. */
  dueAt(rampMs: number): number {
    if (this.#state.kind === "open") return this.#state.untilAt;
    return this.#state.kind === "ramp" ? this.#state.startedAt + rampMs : Infinity;
  }

  #follow(stored: StoredState, toOwnClock: ToOwnClock): void {
    const to = stateOf(stored, toOwnClock);
    const { kind } = this.#state;
    const isSame = kind === to.kind && (kind === "closed" || stored.version === this.#version);
    // The only way from open to closed that the fleet knows. Whoever missed it learns of both its ends.
    const isRampMissed = kind === "open" && to.kind === "closed" && stored.rampVersion > this.#version;
    this.#version = stored.version;
    this.#connected = true;
    if (isSame) {
      // The clocks may have moved against each other.
      this.#state = to;
      return;
    }
    if (isRampMissed) this.#become({ kind: "ramp", startedAt: toOwnClock(stored.startedAt) });
    this.#become(to);
  }

  #become(to: FleetState): void {
    const from = this.#state;
    this.#state = to;
    // What a breaker found before a good probe is over, and the gate closes it.
    if (to.kind === "ramp") this.#vote = null;
    this.#parts.onChange(from, to);
  }

  #hearPause(stored: StoredState, toOwnClock: ToOwnClock): void {
    const pause = pauseOf(stored, toOwnClock);
    this.#heardPause = pause;
    const key = `${stored.pauseBy} ${stored.pauseUntilAt}`;
    if (pause === null || key === this.#heardPauseKey) return;
    this.#heardPauseKey = key;
    const isOurs = stored.pauseBy === this.#options.workerId;
    if (!isOurs && pause.untilAt > this.#options.clock()) this.#parts.onPause(pause);
  }

  async #probe(token: string): Promise<void> {
    const { leaving, authOpenMs } = this.#options;
    this.#isProbing = true;
    const { ok, reason, failure } = await this.#result();
    this.#isProbing = false;
    if (leaving.aborted) return;
    const atLeastMs = failure?.cause === "auth" ? authOpenMs : 0;
    this.#probed = { token, ok, reason: bounded(reason), remedy: bounded(failure?.remedy ?? ""), atLeastMs };
    this.#options.onNews();
  }

  async #result(): Promise<ProbeResult> {
    const { leaving, probeLimitMs } = this.#options;
    const signal = AbortSignal.any([leaving, AbortSignal.timeout(probeLimitMs)]);
    try {
      return await this.#parts.probe(signal);
    } catch (error) {
      // A defect of ours. The provider stays open for as long as it is there.
      const reason = error instanceof Error ? error.message : String(error);
      return { ok: false, stage: null, reason, failure: null };
    }
  }

  #voteFor({ reason, remedy, atLeastMs }: Opening): Vote {
    this.#voteCount += 1;
    return {
      id: this.#voteCount,
      reason: bounded(reason),
      remedy: bounded(remedy ?? ""),
      atLeastMs: Math.min(DAY_MS, Math.max(0, atLeastMs ?? 0)),
    };
  }

  #newsOf(pause: Pause | null): Pick<SeatNews, "pause"> {
    if (pause === null) return {};
    const forMs = Math.min(DAY_MS, Math.ceil(pause.untilAt - this.#options.clock()));
    return forMs <= 0 ? {} : { pause: { cause: pause.cause, reason: bounded(pause.reason), forMs } };
  }
}

/** Half a character at its end, as a cut leaves one, would be no JSON that Lua reads. */
function bounded(text: string): string {
  return Buffer.from(text.slice(0, LONGEST_TEXT)).toString();
}
