import { setTimeout as sleep } from "node:timers/promises";
import { DelayedError, UnrecoverableError, Worker } from "bullmq";
import type { ConnectionOptions, Job } from "bullmq";
import type { DeliveryRecord } from "../core/index.ts";
import { classOf, retriedPriority, sortTo } from "./priority.ts";
import type { QueueSettings } from "./mail-queue.ts";

export type WorkerSettings = QueueSettings & {
  /** Jobs worked on at once. */
  readonly concurrency: number;
  /** How long, and how many, finished jobs are kept in Redis, unless their app said otherwise. */
  readonly keepCompletedMs: number;
  readonly keepCompletedCount: number;
  readonly keepFailedMs: number;
  readonly keepFailedCount: number;
};

/** A job as the gateway sees it. */
export type MailJob = {
  readonly id: string;
  /** As the app wrote it: unchecked. */
  readonly data: unknown;
  /** When the app pushed it, epoch milliseconds. */
  readonly createdAt: number;
  /** What was saved last: unchecked. */
  readonly progress: unknown;
  /** Aborts when the worker stops, or when the job is another worker's now. */
  readonly signal: AbortSignal;
  /** Saves the record; any BullMQ client sees it as progress. */
  readonly save: (record: DeliveryRecord) => Promise<void>;
};

/** What becomes of a job. `fresh`: it keeps its place before retries. */
export type Verdict =
  | { readonly kind: "completed"; readonly record: DeliveryRecord }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "later"; readonly at: number; readonly fresh: boolean };

/**
 * Lock of a job under way. It is renewed at half its time for as long as the process lives, so it limits only how long
 * a dead worker's jobs lie idle, not how long an attempt may take.
 */
const LOCK_MS = 30_000;

/** A defect of ours must not end a message: its job comes back after this long. */
const DEFECT_DELAY_MS = 30_000;

/** Takes jobs from the queue, and turns what became of each into BullMQ's terms. Retries are made here and nowhere else. */
export class MailWorker {
  readonly #worker: Worker;
  readonly #work: (job: MailJob) => Promise<Verdict>;
  readonly #onError: (error: Error) => void;

  constructor(
    settings: WorkerSettings,
    parts: {
      readonly connection: unknown;
      readonly name: string;
      readonly work: (job: MailJob) => Promise<Verdict>;
      readonly onError: (error: Error) => void;
    },
  ) {
    this.#work = parts.work;
    this.#onError = parts.onError;
    // Three parameters: BullMQ makes a signal only for processors that take one.
    this.#worker = new Worker(settings.name, (job, token, signal) => this.#process(job, token ?? "", signal), {
      connection: parts.connection as ConnectionOptions,
      prefix: settings.prefix,
      name: parts.name,
      autorun: false,
      concurrency: settings.concurrency,
      lockDuration: LOCK_MS,
      // A message is not lost for having met several crashes; BullMQ would fail it after one.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      removeOnComplete: {
        age: Math.ceil(settings.keepCompletedMs / 1000),
        count: settings.keepCompletedCount,
      },
      removeOnFail: { age: Math.ceil(settings.keepFailedMs / 1000), count: settings.keepFailedCount },
    });
    this.#worker.on("error", (error) => this.#onError(error));
    this.#worker.on("lockRenewalFailed", (ids) => {
      for (const id of ids) this.#worker.cancelJob(id, "the job is another worker's now");
    });
  }

  async start(): Promise<void> {
    await this.#worker.waitUntilReady();
    void this.#worker.run().catch((error: unknown) => this.#onError(error as Error));
  }

  /** Takes no more jobs and lets those under way end; after `graceMs` it stops them, and they are handed back. */
  async stop(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#worker.cancelAllJobs("the gateway stops"), graceMs);
    await this.#worker.close();
    clearTimeout(timer);
  }

  async #process(job: Job, token: string, signal: AbortSignal | undefined): Promise<DeliveryRecord> {
    const lockLost = signal ?? new AbortController().signal;
    const verdict = await this.#verdict(job, lockLost);
    if (verdict.kind === "completed") return verdict.record;
    // Whatever `attempts` the app set: this is its end.
    if (verdict.kind === "failed") throw new UnrecoverableError(verdict.reason);
    await this.#postpone(job, token, verdict, lockLost);
    throw new DelayedError();
  }

  async #verdict(job: Job, signal: AbortSignal): Promise<Verdict> {
    try {
      const priority = sortTo(job.data, job.priority);
      if (priority !== null) {
        await job.changePriority({ priority });
        return { kind: "later", at: 0, fresh: true };
      }
      return await this.#work({
        id: job.id ?? "",
        data: job.data,
        createdAt: job.timestamp,
        progress: job.progress,
        signal,
        save: (record) => job.updateProgress(record as unknown as object),
      });
    } catch (error) {
      this.#onError(error as Error);
      return { kind: "later", at: Date.now() + DEFECT_DELAY_MS, fresh: false };
    }
  }

  /**
   * Moves a job to its next time. An error thrown out of here would make BullMQ fail the job, so while Redis cannot do
   * it, it is tried again, until it is done or the job is another worker's.
   */
  async #postpone(
    job: Job,
    token: string,
    verdict: Extract<Verdict, { kind: "later" }>,
    signal: AbortSignal,
  ): Promise<void> {
    const priority = retriedPriority(classOf(job.data));
    for (let tries = 0; ; tries += 1) {
      try {
        if (!verdict.fresh && job.priority !== priority) await job.changePriority({ priority });
        await job.moveToDelayed(verdict.at, token);
        return;
      } catch (error) {
        this.#onError(error as Error);
        // With the lock gone the job lies with the stalled ones, and another worker takes it up: nothing is left to do.
        if (signal.aborted || /lock|not in the active state|Missing key/i.test((error as Error).message)) return;
        await sleep(Math.min(5_000, 100 * 2 ** tries));
      }
    }
  }
}
