import type { AttemptRecord, DeliveryRecord } from "../core/index.ts";
import type { LedgerEvent, RecordChange } from "./event.ts";
import type { AttemptKey, Hold, Intervention, Introduction, Ledger, Move, Step, Taken } from "./ledger.ts";

/** How addresses are hidden: always in the same way, so that they can be searched for. */
export type AddressHiding = {
  readonly address: (address: string) => string;
  /** Every address within a text, such as a provider's reply. */
  readonly text: (text: string) => string;
};

/** A ledger that knows nobody's address: what goes in is hidden, and only who knows the recipients sees them again. */
export class HashedLedger implements Ledger {
  readonly #inner: Ledger;
  readonly #hide: AddressHiding;

  constructor(inner: Ledger, hide: AddressHiding) {
    this.#inner = inner;
    this.#hide = hide;
  }

  async take(introduction: Introduction, by: string): Promise<Taken> {
    const taken = await this.#inner.take(this.#hidden(introduction), by);
    return taken.kind === "taken" ? { ...taken, record: this.#shown(taken.record, introduction) } : taken;
  }

  start(hold: Hold, step: Step, attempt: { readonly number: number; readonly provider: string }): Promise<boolean> {
    return this.#inner.start(hold, step, attempt);
  }

  mark(hold: Hold, step: Step, attempt: AttemptKey): Promise<boolean> {
    return this.#inner.mark(hold, step, attempt);
  }

  end(hold: Hold, step: Step, attempt: AttemptRecord, change: RecordChange, move?: Move): Promise<boolean> {
    const hidden = { ...attempt, reply: this.#hide.text(attempt.reply) };
    return this.#inner.end(hold, step, hidden, this.#change(change), move && this.#moved(move));
  }

  move(hold: Hold, step: Step, move: Move): Promise<boolean> {
    return this.#inner.move(hold, step, this.#moved(move));
  }

  async cancel(introduction: Introduction, by: string, reason: string): Promise<Intervention> {
    const done = await this.#inner.cancel(this.#hidden(introduction), by, this.#hide.text(reason));
    return done.kind === "done" ? { ...done, record: this.#shown(done.record, introduction) } : done;
  }

  log(id: string): Promise<readonly LedgerEvent[]> {
    return this.#inner.log(id);
  }

  #hidden(introduction: Introduction): Introduction {
    return { ...introduction, recipients: introduction.recipients.map(this.#hide.address) };
  }

  #shown(record: DeliveryRecord, { recipients }: Introduction): DeliveryRecord {
    const known = new Map(recipients.map((address) => [this.#hide.address(address), address]));
    return {
      ...record,
      recipients: record.recipients.map((recipient) => ({
        ...recipient,
        address: known.get(recipient.address) ?? recipient.address,
      })),
    };
  }

  #moved({ type, change }: Move): Move {
    return { type, change: this.#change(change) };
  }

  #change(change: RecordChange): RecordChange {
    const { recipients, reason, skipped } = change;
    return {
      ...change,
      ...(typeof reason === "string" ? { reason: this.#hide.text(reason) } : {}),
      ...(skipped === undefined
        ? {}
        : { skipped: skipped.map((skip) => ({ ...skip, reason: this.#hide.text(skip.reason) })) }),
      ...(recipients === undefined
        ? {}
        : {
            recipients: recipients.map((recipient) => ({
              ...recipient,
              address: this.#hide.address(recipient.address),
              reason: recipient.reason === null ? null : this.#hide.text(recipient.reason),
            })),
          }),
    };
  }
}
