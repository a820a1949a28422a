import type { AttemptRecord } from "../../src/core/index.ts";
import type { LedgerEvent, RecordChange } from "../../src/ledger/event.ts";
import type {
  AttemptKey,
  Hold,
  Intervention,
  Introduction,
  Ledger,
  Move,
  Step,
  Taken,
} from "../../src/ledger/ledger.ts";

/** Round trips to the ledger, as the code above it asks for them. */
export type Trips = {
  /** Of each round of a message: taking it. */
  takes: number;
  attempts: number;
  /** Of attempts: their beginning goes out with the mark or before it, and nobody waits for it alone. */
  waitedFor: number;
  /** Time that rounds and attempts waited, milliseconds in all. */
  waitedMs: number;
};

/** Passes everything on and counts. */
export class CountingLedger implements Ledger {
  readonly trips: Trips = { takes: 0, attempts: 0, waitedFor: 0, waitedMs: 0 };
  readonly #inner: Ledger;

  constructor(inner: Ledger) {
    this.#inner = inner;
  }

  take(introduction: Introduction, by: string): Promise<Taken> {
    this.trips.takes += 1;
    return this.#timed(this.#inner.take(introduction, by));
  }

  start(hold: Hold, step: Step, attempt: { readonly number: number; readonly provider: string }): Promise<boolean> {
    this.trips.attempts += 1;
    return this.#inner.start(hold, step, attempt);
  }

  mark(hold: Hold, step: Step, attempt: AttemptKey): Promise<boolean> {
    return this.#waited(this.#inner.mark(hold, step, attempt));
  }

  end(hold: Hold, step: Step, attempt: AttemptRecord, change: RecordChange, move?: Move): Promise<boolean> {
    return this.#waited(this.#inner.end(hold, step, attempt, change, move));
  }

  move(hold: Hold, step: Step, move: Move): Promise<boolean> {
    return this.#waited(this.#inner.move(hold, step, move));
  }

  cancel(introduction: Introduction, by: string, reason: string): Promise<Intervention> {
    return this.#inner.cancel(introduction, by, reason);
  }

  log(id: string): Promise<readonly LedgerEvent[]> {
    return this.#inner.log(id);
  }

  #waited<T>(answer: Promise<T>): Promise<T> {
    this.trips.waitedFor += 1;
    return this.#timed(answer);
  }

  async #timed<T>(answer: Promise<T>): Promise<T> {
    const startedAt = performance.now();
    try {
      return await answer;
    } finally {
      this.trips.waitedMs += performance.now() - startedAt;
    }
  }
}
