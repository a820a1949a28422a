import type { ProbeResult } from "../probe.ts";
import type { Pause } from "../pause.ts";

/**
 * What the fleet holds of one provider. Instants are epoch milliseconds of this worker's clock, whatever the clocks of the
 * others say.
 * - `open`: enough workers found it at fault. Nobody goes there; one of them probes it once `untilAt` is over.
 * - `ramp`: a probe went well at `startedAt`; a growing share of its mail goes there.
 */
export type FleetState =
  | { readonly kind: "closed" }
  | { readonly kind: "open"; readonly reason: string; readonly remedy: string | null; readonly untilAt: number }
  | { readonly kind: "ramp"; readonly startedAt: number };

/** Why a worker's own breaker opened. */
export type Opening = {
  readonly reason: string;
  readonly remedy: string | null;
  /** Least time that it stays open, in milliseconds, or null: as long as the settings say. */
  readonly atLeastMs: number | null;
};

/** One provider as a worker shares it with its fleet. Reading is at once and from memory; nothing here ever throws. */
export interface FleetSeat {
  /** What the fleet holds, as this worker heard last. `closed` where it never heard. */
  readonly state: FleetState;
  /** A pause that any worker met: throttled, or out of quota. Null: none. */
  readonly pause: Pause | null;
  /** Whether the fleet is to be heard at all. False: the worker decides alone. */
  readonly connected: boolean;
  /**
   * This worker's breaker is open, since `opening`; or null: it no longer is. A vote stands, and is renewed, until it is
   * taken back or the worker is gone.
   */
  vote(opening: Opening | null): void;
  /** This worker met a pause: the others keep it, too, unless they know a longer one. */
  share(pause: Pause): void;
}

/** What a provider's gate does for the fleet. */
export type SeatParts = {
  /** Checks the provider without mail. Asked of one worker of the fleet at a time. Never throws. */
  readonly probe: (signal: AbortSignal) => Promise<ProbeResult>;
  /** Told of each change of `state`, after it. */
  readonly onChange: (from: FleetState, to: FleetState) => void;
  /** Told of each pause that another worker met. */
  readonly onPause: (pause: Pause) => void;
};

/** The workers that share one queue: what one learns of a provider, all know. */
export interface Fleet {
  /** Takes the seat of a provider. Before `start`. */
  join(provider: string, parts: SeatParts): FleetSeat;
  /** Reads what the fleet holds, and takes part from then on. Ends when it is known, or cannot be had now. Never throws. */
  start(): Promise<void>;
  /** Takes votes back and leaves. */
  stop(): Promise<void>;
}
