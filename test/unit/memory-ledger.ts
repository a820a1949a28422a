import type { AttemptRecord } from "../../src/core/index.ts";
import type { LedgerEvent, RecordChange } from "../../src/ledger/event.ts";
import { fold } from "../../src/ledger/fold.ts";
import type {
  AttemptKey,
  Hold,
  Intervention,
  Introduction,
  Ledger,
  Move,
  OpenAttempt,
  Step,
  Taken,
} from "../../src/ledger/ledger.ts";
import { pack, unpack } from "../../src/ledger/packing.ts";

type Entry = {
  fence: number;
  step: number;
  stalledCount: number;
  readonly jobId: string;
  readonly digest: string;
  open: OpenAttempt | null;
  readonly log: string[];
};

/** The ledger as its contract has it, in memory: for tests of what is above it, where every step can be made to crash. */
export class MemoryLedger implements Ledger {
  readonly #entries = new Map<string, Entry>();

  async take(introduction: Introduction, by: string): Promise<Taken> {
    const { id, metadata, jobId, digest, stalledCount, keepMs } = introduction;
    let entry = this.#entries.get(id);
    const isNew = entry === undefined;
    if (entry !== undefined && (entry.jobId !== jobId || entry.digest !== digest)) {
      return { kind: "duplicate", jobId: entry.jobId, sameContent: entry.digest === digest };
    }
    const { messageId, class: messageClass, recipients } = introduction;
    const received: LedgerEvent = {
      type: "message.received",
      at: Date.now(),
      by,
      messageId,
      class: messageClass,
      recipients,
    };
    entry ??= { fence: 0, step: 0, stalledCount, jobId, digest, open: null, log: [pack(received)] };
    this.#entries.set(id, entry);
    const isRetried = stalledCount <= entry.stalledCount;
    entry.fence += 1;
    entry.step = 0;
    entry.stalledCount = stalledCount;
    const hold = { id, fence: entry.fence, by, keepMs };
    return {
      kind: "taken",
      hold,
      isNew,
      isRetried,
      record: fold(id, entry.log.map(unpack), metadata),
      openAttempt: entry.open,
    };
  }

  async start(hold: Hold, step: Step, { number, provider }: { number: number; provider: string }): Promise<boolean> {
    const event: LedgerEvent = { type: "attempt.started", at: Date.now(), by: hold.by, number, provider };
    return this.#write(hold, step, [event], (entry) => {
      entry.open = { number, provider, contentMayBeOut: false, startedAt: Date.now() };
    });
  }

  async mark(hold: Hold, step: Step, { number, provider }: AttemptKey): Promise<boolean> {
    return this.#write(hold, step, [], (entry) => {
      entry.open = { number, provider, contentMayBeOut: true, startedAt: entry.open?.startedAt ?? null };
    });
  }

  async end(hold: Hold, step: Step, attempt: AttemptRecord, change: RecordChange, move?: Move): Promise<boolean> {
    const ended: LedgerEvent = { type: "attempt.ended", at: Date.now(), by: hold.by, attempt, change };
    const events = move === undefined ? [ended] : [ended, { ...move, at: Date.now(), by: hold.by } as LedgerEvent];
    return this.#write(hold, step, events, (entry) => {
      entry.open = null;
    });
  }

  async move(hold: Hold, step: Step, move: Move): Promise<boolean> {
    return this.#write(hold, step, [{ ...move, at: Date.now(), by: hold.by } as LedgerEvent], () => undefined);
  }

  async cancel(): Promise<Intervention> {
    throw new Error("not of use here");
  }

  async log(id: string): Promise<readonly LedgerEvent[]> {
    return this.#entries.get(id)?.log.map(unpack) ?? [];
  }

  #write({ id, fence }: Hold, step: Step, events: readonly LedgerEvent[], change: (entry: Entry) => void): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.fence !== fence) return false;
    if (step <= entry.step) return true;
    entry.step = step;
    entry.log.push(...events.map(pack));
    change(entry);
    return true;
  }
}
