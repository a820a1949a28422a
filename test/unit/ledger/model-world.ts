import { isDeepStrictEqual } from "node:util";
import type { DeliveryRecord, MessageStatus, UncertainPolicy } from "../../../src/core/index.ts";
import { fold } from "../../../src/ledger/fold.ts";
import type { Hold, Ledger } from "../../../src/ledger/ledger.ts";
import { isFinal, mayMove } from "../../../src/ledger/states.ts";
import type { Choices } from "./model-paths.ts";
import type { Fault, ModelWorker } from "./model-worker.ts";

/** How far the model goes from the path where all is well. */
export type Bounds = {
  /** Of these kinds, so many. */
  readonly faults: number;
  readonly kinds: readonly Fault[];
  /** Outcomes other than relayed. */
  readonly badOutcomes: number;
  readonly providers: 1 | 2;
  /** Things that an operator does: releases a held message, has an ended one retried. */
  readonly operations: 0 | 1;
};

/** Fields of a record and of an event that nothing depends on in the model: names, instants, counts. */
const WITHOUT_BEARING = /^(id|messageId|at|by|number|\w+Count|(started|ended|nextAttempt|reopened)At)$/;

export const RECIPIENTS = ["ann@example.org", "bob@example.org"] as const;

/** Everything outside of the workers: the ledger, the job, the providers' mailboxes, and what an onlooker sees of them. */
export class World {
  now = 1_000_000;
  stalledCount = 0;
  /** The worker that BullMQ takes for the job's own. */
  owner: ModelWorker | null = null;
  readonly workers: ModelWorker[] = [];
  asleep: ModelWorker[] = [];
  /** Copies of the message that left, by recipient. */
  readonly copies: { readonly recipient: string; readonly provider: string }[] = [];
  /** Recipients that a provider said no to for good. */
  readonly refused = new Set<string>();
  /** An operator did one thing at most: let a held message go on, or had one retried that had ended. */
  operated: "released" | "retried" | null = null;
  /** Its time was over while it was held. */
  expired = false;
  status: MessageStatus | null = null;
  fence = 0;
  /** The fence of the hold that marked its content as maybe out; how often the job had stalled at the latest take. */
  marked = 0;
  takenStalls = -1;
  /** What is wrong with this path, in words. */
  readonly problems: string[] = [];
  readonly moves = new Set<string>();
  readonly told = new Set<string>();
  readonly steps: string[] = [];
  faultsLeft: number;
  badOutcomesLeft: number;
  readonly id: string;
  readonly policy: UncertainPolicy;
  readonly bounds: Bounds;
  readonly choices: Choices;
  readonly ledger: Ledger;
  #messageId = "";
  #metadata: DeliveryRecord["metadata"] = {};

  constructor(id: string, parts: { policy: UncertainPolicy; bounds: Bounds; choices: Choices; ledger: Ledger }) {
    this.id = id;
    this.policy = parts.policy;
    this.bounds = parts.bounds;
    this.choices = parts.choices;
    this.ledger = parts.ledger;
    this.faultsLeft = parts.bounds.faults;
    this.badOutcomesLeft = parts.bounds.badOutcomes;
  }

  /** Whether an operator may still do something. */
  get mayOperate(): boolean {
    return this.bounds.operations > 0 && this.operated === null;
  }

  note(step: string): void {
    this.steps.push(step);
  }

  /** A worker has the message from now on. */
  tookOver(hold: Hold, record: DeliveryRecord): void {
    this.#messageId = hold.id;
    this.#metadata = record.metadata;
    if (hold.fence <= this.fence) this.problems.push("a later hold has no higher fence");
    this.fence = hold.fence;
    this.takenStalls = this.stalledCount;
    const isOver = isFinal(record.status);
    if ((isOver || (this.status !== null && isFinal(this.status))) && this.status !== record.status) {
      this.problems.push(`the ledger says ${record.status} of a message that is ${this.status ?? "unknown"}`);
    }
    if (!isOver) this.#moveTo("relaying");
  }

  /** The ledger answered a write. A void hold must hear no, the one that is not must hear yes. */
  wrote(what: string, hold: Hold, isWritten: boolean): void {
    if (isWritten !== (hold.fence === this.fence)) {
      this.problems.push(`${what} was ${isWritten ? "written by a void hold" : "refused to the one who holds it"}`);
    }
  }

  movedTo(status: MessageStatus): void {
    this.#moveTo(status);
  }

  /** What a worker goes by must be what the ledger would say. */
  async compare(what: string, worker: ModelWorker, record: DeliveryRecord): Promise<void> {
    const log = await this.ledger.log(this.#messageId);
    // Meanwhile another one may have it.
    if (worker.fence !== this.fence) return;
    const folded = fold(this.#messageId, log, this.#metadata);
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(folded)), JSON.parse(JSON.stringify(record)))) {
      this.problems.push(`${what} is not what the log folds to`);
    }
  }

  /** Content must not go to those whose yes is written already. */
  async aboutToLeave(worker: ModelWorker, recipients: readonly string[]): Promise<void> {
    const record = await this.record();
    if (worker.fence !== this.fence) return;
    const again = record.recipients.find(({ address, status }) => status === "relayed" && recipients.includes(address));
    if (again !== undefined) this.problems.push(`${again.address} is sent again although the ledger says relayed`);
  }

  async record(): Promise<DeliveryRecord> {
    return fold(this.#messageId, await this.ledger.log(this.#messageId), this.#metadata);
  }

  /**
   * Where everything stands for a worker that is about to begin, while none is asleep: all that can follow depends on
   * this alone. Instants are left out, since the model's time only ever reaches what is due.
   */
  async state(): Promise<string> {
    const log = await this.ledger.log(this.#messageId);
    const { policy, bounds, status, stalledCount, takenStalls, faultsLeft, badOutcomesLeft, operated, expired } = this;
    const copies = this.copies.map(({ recipient, provider }) => recipient + provider).toSorted();
    const last = log.findLast(({ type }) => type === "attempt.started" || type === "attempt.ended");
    const open = last?.type === "attempt.started" ? last : null;
    const isMarked = this.marked === this.fence;
    const record = log.length === 0 ? null : await this.record();
    const facts = [policy, bounds, status, stalledCount <= takenStalls, faultsLeft, badOutcomesLeft, operated, expired];
    const state = [facts, copies, [...this.refused].toSorted(), open, isMarked, record];
    return JSON.stringify(state, (name, value: unknown) => {
      if (name === "attempts") return (value as readonly unknown[]).slice(-1);
      return WITHOUT_BEARING.test(name) ? "" : value;
    });
  }

  #moveTo(status: MessageStatus): void {
    this.moves.add(`${this.status ?? "(none)"} -> ${status}`);
    if (!mayMove(this.status, status, "worker")) {
      this.problems.push(`no worker may move a message from ${this.status ?? "(none)"} to ${status}`);
    }
    this.status = status;
  }
}
