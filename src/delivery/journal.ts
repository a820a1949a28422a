import { setTimeout as sleep } from "node:timers/promises";
import type { DeliveryRecord } from "../core/index.ts";
import { changeBetween } from "../ledger/fold.ts";
import type { Hold, Ledger, MoveType, Step, TakenMessage } from "../ledger/ledger.ts";
import { within } from "../redis/within.ts";

/** The message is another worker's by now, or the worker stops and cannot write: nothing more is done about it here. */
export class MessageLostError extends Error {
  override readonly name = "MessageLostError";
}

export type JournalParts = {
  readonly ledger: Ledger;
  /** Aborts when the worker stops, or when the job is another worker's. */
  readonly signal: AbortSignal;
  /** Told of each write that failed and is tried again. */
  readonly onError: (error: Error) => void;
};

/** An attempt, as the ledger is told of it. */
export type Entry = {
  /** It has begun: told at once, without waiting. */
  readonly begin: () => void;
  readonly hasBegun: () => boolean;
  /** Its content may leave only when this comes to true: the ledger knows of the attempt, and that its content may be out. */
  readonly commit: () => Promise<boolean>;
};

const LONGEST_RETRY_MS = 5_000;

/**
 * Time that an attempt waits for the ledger before its content. Well below any provider's patience, so that a store that
 * is slow, or away, ends the attempt as ours and not as the provider's.
 */
const COMMIT_LIMIT_MS = 5_000;

/**
 * What one worker writes in the ledger about a message it holds. The record as it was written last is known here, so that
 * each write holds only what changed. What became of an attempt is written until it is written: a store that is away must
 * not make a message uncertain that is not.
 */
export class Journal {
  readonly #parts: JournalParts;
  readonly #hold: Hold;
  #written: DeliveryRecord;
  #step: Step = 0;

  constructor(taken: Pick<TakenMessage, "hold" | "record">, parts: JournalParts) {
    this.#hold = taken.hold;
    this.#written = taken.record;
    this.#parts = parts;
  }

  /** For an attempt that may be made. Nothing is written before it begins, or asks whether its content may leave. */
  entry(number: number, provider: string): Entry {
    const { ledger } = this.#parts;
    let starting: Promise<boolean> | null = null;
    const begin = (): void => {
      starting ??= ledger.start(this.#hold, this.#nextStep(), { number, provider });
      // Whoever waits for it hears of a failure; until then it must not count as unheard.
      starting.catch(() => undefined);
    };
    const commit = async (): Promise<boolean> => {
      begin();
      // Sent in one go: the mark is written after the start, on the same connection.
      const marking = ledger.mark(this.#hold, this.#nextStep(), { number, provider });
      const writing = Promise.all([starting, marking]).then(([started, marked]) => started === true && marked);
      // What is written late belongs to a step that is over, and changes nothing.
      return within(COMMIT_LIMIT_MS, writing, () => false);
    };
    return { begin, hasBegun: () => starting !== null, commit };
  }

  /** An attempt has ended, and the message goes on. */
  async save(record: DeliveryRecord): Promise<void> {
    const attempt = record.attempts.at(-1);
    if (attempt === undefined || record.attemptCount === this.#written.attemptCount) return;
    const change = changeBetween(this.#written, record);
    await this.#insist((step) => this.#parts.ledger.end(this.#hold, step, attempt, change));
    this.#written = record;
  }

  /** The message changes its state, maybe by the attempt that has just ended. */
  async conclude(record: DeliveryRecord, type: MoveType): Promise<void> {
    const { ledger } = this.#parts;
    // Its status always: what stands beside the log is made of it, also where the message stays as it was.
    const move = { type, change: { ...changeBetween(this.#written, record), status: record.status } };
    const attempt = record.attemptCount === this.#written.attemptCount ? undefined : record.attempts.at(-1);
    await this.#insist((step) =>
      attempt === undefined ? ledger.move(this.#hold, step, move) : ledger.end(this.#hold, step, attempt, {}, move),
    );
    this.#written = record;
  }

  #nextStep(): Step {
    this.#step += 1;
    return this.#step;
  }

  /** Writes until it is written. Throws MessageLostError where the message is another's, or the worker stops first. */
  async #insist(write: (step: Step) => Promise<boolean>): Promise<void> {
    const { signal, onError } = this.#parts;
    const step = this.#nextStep();
    for (let tries = 0; ; tries += 1) {
      let written: boolean;
      try {
        written = await write(step);
      } catch (error) {
        onError(error as Error);
        if (signal.aborted) throw new MessageLostError("the worker stopped before its store was back");
        await sleep(Math.min(LONGEST_RETRY_MS, 100 * 2 ** tries), undefined, { signal }).catch(() => undefined);
        continue;
      }
      if (!written) throw new MessageLostError("the message is another worker's now");
      return;
    }
  }
}
