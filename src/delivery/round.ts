import type { Clock, DeliveryRecord, Emit, Message, MessageClass, Random, Submission } from "../core/index.ts";
import type { Bearer } from "../gate/gate.ts";
import type { CutoverSample } from "../control/cutover-meter.ts";
import type { OpenAttempt } from "../ledger/ledger.ts";
import type { BackoffSettings } from "./backoff.ts";
import type { Journal } from "./journal.ts";
import type { ClassSettings, Policy } from "./policy.ts";
import type { Routing, Upstream } from "./order.ts";
import type { Route } from "./route.ts";

/** One message to be brought one round further. */
export type Task = {
  readonly submission: Submission;
  readonly message: Message;
  readonly record: DeliveryRecord;
  /** When it was first due, epoch milliseconds. */
  readonly dueAt: number;
  /** Stops the round: the gateway ends, or the job is another worker's now. */
  readonly signal: AbortSignal;
  /** Told of each step before anything further is done. */
  readonly journal: Journal;
  /** Lets those who follow the job see the record. */
  readonly publish: (record: DeliveryRecord) => Promise<void>;
  /** An attempt that a worker before this one left open, or null. */
  readonly openAttempt: OpenAttempt | null;
};

/** What a round came to: the message's end, a time for the next round, or handed back as it is. */
export type Resolution =
  | { readonly kind: "ended"; readonly record: DeliveryRecord }
  | {
      readonly kind: "later";
      readonly record: DeliveryRecord;
      readonly at: number;
      /** It only waited its turn: it keeps its place before messages that are retried. */
      readonly fresh: boolean;
    }
  | { readonly kind: "handed-back"; readonly record: DeliveryRecord };

/** What delivery works with, the same for all messages. */
export type DeliveryParts = {
  readonly upstreams: readonly Upstream[];
  readonly routing: Routing;
  /** Told how the attempts fare that operators moved to their provider. */
  readonly onShifted: (sample: CutoverSample) => void;
  readonly classes: Readonly<Record<MessageClass, ClassSettings>>;
  readonly backoff: BackoffSettings;
  /** Backstop behind the providers' own time limits. */
  readonly attemptTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: Emit;
};

/** What stays the same throughout a round. */
export type Round = {
  readonly task: Task;
  readonly policy: Policy;
  readonly route: Route;
  readonly parts: DeliveryParts;
};

/** A message as gates ask about it. */
export function bearerOf({ message }: Task): Bearer {
  return { id: message.id, from: message.from.address };
}
