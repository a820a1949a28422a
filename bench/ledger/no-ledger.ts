import { newRecord } from "../../src/core/index.ts";
import type { LedgerEvent } from "../../src/ledger/event.ts";
import type { Intervention, Introduction, Ledger, Taken } from "../../src/ledger/ledger.ts";

/** A ledger that writes nothing and says yes: what is left of a message's time without one. */
export class NoLedger implements Ledger {
  async take({ id, messageId, recipients, metadata, keepMs }: Introduction, by: string): Promise<Taken> {
    const record = newRecord({ id, messageId, recipients, metadata });
    const hold = { id, fence: 1, by, keepMs };
    return { kind: "taken", hold, isNew: true, isRetried: true, record, openAttempt: null };
  }

  async start(): Promise<boolean> {
    return true;
  }

  async mark(): Promise<boolean> {
    return true;
  }

  async end(): Promise<boolean> {
    return true;
  }

  async move(): Promise<boolean> {
    return true;
  }

  async cancel(): Promise<Intervention> {
    return { kind: "unknown" };
  }

  async log(): Promise<readonly LedgerEvent[]> {
    return [];
  }
}
