import type { AttemptRecord } from "../../../src/core/index.ts";
import type { LedgerEvent, RecordChange } from "../../../src/ledger/event.ts";
import type {
  AttemptKey,
  Hold,
  Intervention,
  Introduction,
  Ledger,
  Move,
  Step,
  Taken,
} from "../../../src/ledger/ledger.ts";
import type { ModelWorker } from "./model-worker.ts";

/** The world's ledger as one worker calls it: each call is a step that may go wrong, and an onlooker checks each answer. */
export class WatchedLedger implements Ledger {
  readonly #worker: ModelWorker;

  constructor(worker: ModelWorker) {
    this.#worker = worker;
  }

  take(introduction: Introduction, by: string): Promise<Taken> {
    const { world } = this.#worker;
    const act = async (): Promise<Taken> => {
      const taken = await world.ledger.take(introduction, by);
      if (taken.kind !== "taken") throw new Error("there is no other job");
      this.#worker.fence = taken.hold.fence;
      world.tookOver(taken.hold, taken.record);
      return taken;
    };
    return this.#worker.step("ledger take", act, () => {
      throw new Error("it is dead");
    });
  }

  start(hold: Hold, step: Step, attempt: { readonly number: number; readonly provider: string }): Promise<boolean> {
    return this.#write("ledger start", hold, () => this.#worker.world.ledger.start(hold, step, attempt));
  }

  mark(hold: Hold, step: Step, attempt: AttemptKey): Promise<boolean> {
    const { world } = this.#worker;
    const act = async (): Promise<boolean> => {
      const isMarked = await world.ledger.mark(hold, step, attempt);
      if (isMarked) world.marked = hold.fence;
      return isMarked;
    };
    return this.#write("ledger mark", hold, act);
  }

  end(hold: Hold, step: Step, attempt: AttemptRecord, change: RecordChange, move?: Move): Promise<boolean> {
    const act = (): Promise<boolean> => this.#worker.world.ledger.end(hold, step, attempt, change, move);
    return this.#write("ledger end", hold, act, move, step);
  }

  move(hold: Hold, step: Step, move: Move): Promise<boolean> {
    return this.#write("ledger move", hold, () => this.#worker.world.ledger.move(hold, step, move), move, step);
  }

  cancel(): Promise<Intervention> {
    throw new Error("no worker cancels");
  }

  log(id: string): Promise<readonly LedgerEvent[]> {
    return this.#worker.world.ledger.log(id);
  }

  /** Moves by step: one that is sent again is no second move. */
  #moved: Step = 0;

  #write(what: string, hold: Hold, act: () => Promise<boolean>, move?: Move, step: Step = 0): Promise<boolean> {
    const { world } = this.#worker;
    const write = async (): Promise<boolean> => {
      const isWritten = await act();
      world.wrote(what, hold, isWritten);
      if (!isWritten || move === undefined || step <= this.#moved) return isWritten;
      this.#moved = step;
      world.movedTo(move.change.status ?? world.status ?? "relaying");
      return isWritten;
    };
    return this.#worker.step(what, write, () => false);
  }
}
