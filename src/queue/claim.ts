import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode } from "bullmq";
import type { Job } from "bullmq";
import type { DeliveryRecord } from "../core/index.ts";

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
  readonly token: string;
  readonly onError: (error: Error) => void;
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

  /** Moves the job to a later time, with this priority where it is not null. Epoch milliseconds. */
  postpone(at: number, priority: number | null): Promise<void> {
    return this.#insist(async () => {
      if (priority !== null && this.#job.priority !== priority) await this.#job.changePriority({ priority });
      await this.#job.moveToDelayed(at, this.#parts.token);
    });
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
        if (this.signal.aborted) return;
        const options = { signal: this.signal };
        await sleep(Math.min(LONGEST_RETRY_MS, 100 * 2 ** tries), undefined, options).catch(() => undefined);
      }
    }
  }

  #giveUp(): void {
    this.#stop.abort(JOB_LOST);
  }
}
