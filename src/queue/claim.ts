import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode } from "bullmq";
import type { Job, Worker } from "bullmq";
import type { DeliveryRecord } from "../core/index.ts";
import type { NextJob } from "./postponing-worker.ts";

/** BullMQ's codes for a job that is gone, or is another worker's. */
const NOT_OURS: ReadonlySet<unknown> = new Set([
  ErrorCode.JobNotExist,
  ErrorCode.JobLockNotExist,
  ErrorCode.JobNotInState,
  ErrorCode.JobLockMismatch,
]);

const LONGEST_RETRY_MS = 5_000;

/** Reason that a job's signal aborts with where the job is another worker's by now. */
export const JOB_LOST = "the job is another worker's now";

export type ClaimParts = {
  readonly backend: Worker["backend"];
  readonly token: string;
  /** Whether the worker gives up what it cannot write: BullMQ's signal no longer says so once the job's work is done. */
  readonly isGraceOver: () => boolean;
  readonly onError: (error: Error) => void;
};

/** Where a job goes that is to come back. */
export type Postponement = {
  /** Epoch milliseconds. */
  readonly at: number;
  /** null: the one that it has. */
  readonly priority: number | null;
  /** What its followers see from then on; null: what they see by now. */
  readonly record: DeliveryRecord | null;
};

/**
 * One worker's hold on one job. Whether the message is still its own the ledger says, by the fence of the write before. An
 * error of Redis never leaves this class: BullMQ would take it for the job's own and fail it.
 */
export class Claim {
  readonly #job: Job;
  readonly #parts: ClaimParts;
  readonly #stop = new AbortController();

  /** `stopped` aborts when the worker stops. */
  constructor(job: Job, stopped: AbortSignal | undefined, parts: ClaimParts) {
    this.#job = job;
    this.#parts = parts;
    if (stopped?.aborted === true) this.#stop.abort(stopped.reason);
    stopped?.addEventListener("abort", () => this.#stop.abort(stopped.reason), { once: true });
  }

  /** Aborts when the worker stops, or when the job turns out to be another worker's. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Saves the record as the job's progress. The caller knows from the ledger that the message is its own. */
  save(record: DeliveryRecord): Promise<void> {
    return this.#insist(() => this.#job.updateProgress(record as unknown as object));
  }

  /**
   * Moves the job to a later time, in one command: with this priority, with the record as its progress, and fetching the
   * worker's next job. BullMQ tells of it as `delayed`. Resolves with the next job, where there is one.
   */
  async postpone({ at, priority, record }: Postponement, fetchNext: boolean): Promise<NextJob> {
    const { backend, token } = this.#parts;
    const fields = {
      ...(priority === null ? {} : { priority }),
      ...(record === null ? {} : { progress: JSON.stringify(record) }),
    };
    // BullMQ's script takes a list of fields, and none; it fails, half-done, with an empty one.
    const fieldsToUpdate = Object.keys(fields).length === 0 ? {} : { fieldsToUpdate: fields };
    const options = { skipAttempt: true, fetchNext, ...fieldsToUpdate };
    let next: NextJob = [];
    await this.#insist(async () => {
      const now = Date.now();
      const answer = await backend.moveToDelayed(this.#job.id ?? "", now, Math.max(0, at - now), token, options);
      next = answer?.[0] ? (answer as unknown as NextJob) : [];
    });
    return next;
  }

  /** While Redis cannot do it, it is tried again: until it is done, the job is not ours, or the worker stops. */
  async #insist(act: () => Promise<void>): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      try {
        await act();
        return;
      } catch (error) {
        this.#parts.onError(error as Error);
        if (NOT_OURS.has((error as { code?: unknown }).code)) this.#giveUp();
        if (this.signal.aborted || this.#parts.isGraceOver()) return;
        const options = { signal: this.signal };
        await sleep(Math.min(LONGEST_RETRY_MS, 100 * 2 ** tries), undefined, options).catch(() => undefined);
      }
    }
  }

  #giveUp(): void {
    this.#stop.abort(JOB_LOST);
  }
}
