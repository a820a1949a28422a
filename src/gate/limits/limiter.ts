import type { MessageClass } from "../../core/index.ts";

/** One message that wants to go now. */
export type SlotRequest = {
  /** Of the message: its slot is booked under it, so that it finds it again. */
  readonly id: string;
  readonly class: MessageClass;
  readonly recipientCount: number;
  /** A slot is booked only where it is this near, in milliseconds; Infinity: however far it is. */
  readonly bookWithinMs: number;
};

export type LimitCause = "rate" | "recipients" | "month" | "connections" | "store";

export type SlotAnswer =
  /** It may go now. `end` is to be called once, as soon as it ended; `sent`: whether it counts as sent, or may do. */
  | { readonly kind: "granted"; readonly end: (sent: boolean) => void }
  /**
   * Not before `at` (epoch milliseconds of this worker's clock). `booked`: its place in line is kept, if it comes back
   * then. While the pace is lowered, and its slot is more than two minutes off, `at` is half-way to it: it may move up.
   */
  | {
      readonly kind: "later";
      readonly at: number;
      readonly booked: boolean;
      readonly cause: LimitCause;
      /** In words, without addresses: "30 messages a minute are used up". */
      readonly reason: string;
    };

/** The limits of one provider, kept for the whole fleet. Never throws: a store that is away is a `later`. */
export interface Limiter {
  reserve(request: SlotRequest): Promise<SlotAnswer>;
  /** Gives a booked slot back: the message goes elsewhere, or is over. */
  release(id: string): void;
  /** The provider said that we are too fast: the pace falls for everyone, and recovers slowly. */
  tooFast(reason: string): void;
}

/** No limits, and so nothing to ask anybody. */
export const unlimited: Limiter = {
  reserve: async () => ({ kind: "granted", end: () => undefined }),
  release: () => undefined,
  tooFast: () => undefined,
};
