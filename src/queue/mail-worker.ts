import { DelayedError, UnrecoverableError } from "bullmq";
import type { ConnectionOptions, Job } from "bullmq";
import type { DeliveryRecord } from "../core/index.ts";
import { Claim, JOB_LOST } from "./claim.ts";
import type { Postponement } from "./claim.ts";
import { PostponedError, PostponingWorker } from "./postponing-worker.ts";
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
  /** When it was first due: later, where the app gave the job a delay or a scheduler made it. Epoch milliseconds. */
  readonly dueAt: number;
  /** How often a worker died, or lost Redis, while it had this job. */
  readonly stalledCount: number;
  /** What was saved last: unchecked. */
  readonly progress: unknown;
  /** Aborts when the worker stops, or when the job is another worker's now. */
  readonly signal: AbortSignal;
  /**
   * Saves the record, after the ledger took it; any BullMQ client sees it as progress. Ends when that is done, or when the
   * job turned out to be gone, which `signal` then says.
   */
  readonly save: (record: DeliveryRecord) => Promise<void>;
  /** Replaces its data, as by a sealed form of it. */
  readonly replaceData: (data: object) => Promise<void>;
};

/** What becomes of a job. `fresh`: it keeps its place before retries. `record`: its progress while it waits; null: as it is. */
export type Verdict =
  | { readonly kind: "completed"; readonly record: DeliveryRecord }
  | { readonly kind: "failed"; readonly reason: string }
  /** It is another worker's: nothing is done about it here. */
  | { readonly kind: "lost" }
  | {
      readonly kind: "later";
      readonly at: number;
      readonly fresh: boolean;
      readonly record: DeliveryRecord | null;
    };

/** It came without the priority of its class, and goes back to where that one puts it. */
type Sorted = { readonly kind: "sorted"; readonly priority: number };

/**
 * Lock of a job under way. It is renewed at half its time for as long as the process lives, so it limits only how long
 * a dead worker's jobs lie idle, not how long an attempt may take.
 */
const LOCK_MS = 30_000;

/** How often a worker looks for jobs whose lock has run out: BullMQ's own 30 s would let them lie twice as long. */
const STALLED_CHECK_MS = 5_000;

/** A defect of ours must not end a message: its job comes back after this long. */
const DEFECT_DELAY_MS = 30_000;

/** Time for handing jobs back once the grace of a stop is over, as a share of it. */
const HANDOVER_SHARE = 0.2;

/** Takes jobs from the queue, and turns what became of each into BullMQ's terms. Retries are made here and nowhere else. */
export class MailWorker {
  readonly #worker: PostponingWorker;
  readonly #work: (job: MailJob) => Promise<Verdict>;
  readonly #onError: (error: Error) => void;
  #graceOver = false;

  constructor(
    settings: WorkerSettings,
    parts: {
      readonly connection: unknown;
      readonly name: string;
      readonly work: (job: MailJob) => Promise<Verdict>;
      /** What stays of a completed job's data. */
      readonly strip: (data: object) => object;
      readonly onError: (error: Error) => void;
    },
  ) {
    this.#work = parts.work;
    this.#onError = parts.onError;
    // Three parameters: BullMQ makes a signal only for processors that take one.
    this.#worker = new PostponingWorker(
      settings.name,
      (job, token, signal) => this.#process(job, token ?? "", signal),
      {
        connection: parts.connection as ConnectionOptions,
        prefix: settings.prefix,
        name: parts.name,
        autorun: false,
        concurrency: settings.concurrency,
        lockDuration: LOCK_MS,
        stalledInterval: STALLED_CHECK_MS,
        // A message is not lost for having met several crashes; BullMQ would fail it after one.
        maxStalledCount: Number.MAX_SAFE_INTEGER,
        removeOnComplete: {
          age: Math.ceil(settings.keepCompletedMs / 1000),
          count: settings.keepCompletedCount,
        },
        removeOnFail: { age: Math.ceil(settings.keepFailedMs / 1000), count: settings.keepFailedCount },
      },
    );
    this.#worker.on("error", (error) => this.#onError(error));
    // Behind the back of the next job: a completed one has all the time there is. Its app may have it removed at once.
    this.#worker.on("completed", (job) => {
      void job.updateData(parts.strip(job.data as object)).catch(() => undefined);
    });
    this.#worker.on("lockRenewalFailed", (ids) => {
      for (const id of ids) this.#worker.cancelJob(id, JOB_LOST);
    });
  }

  async start(): Promise<void> {
    await this.#worker.waitUntilReady();
    void this.#worker.run().catch((error: unknown) => this.#onError(error as Error));
  }

  /**
   * Takes no more jobs and lets those under way end; after `graceMs` it stops them, and they are handed back. Ends a
   * fifth later at the latest: while Redis is away, jobs stay where they are and its connections end when it is back.
   */
  async stop(graceMs: number): Promise<void> {
    const grace = setTimeout(() => {
      this.#graceOver = true;
      this.#worker.cancelAllJobs("the gateway stops");
    }, graceMs);
    let limit: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      limit = setTimeout(resolve, graceMs * (1 + HANDOVER_SHARE));
    });
    await Promise.race([this.#worker.close(), late]);
    clearTimeout(limit);
    clearTimeout(grace);
  }

  async #process(job: Job, token: string, stopped: AbortSignal | undefined): Promise<DeliveryRecord> {
    const { backend } = this.#worker;
    const isGraceOver = (): boolean => this.#graceOver;
    const claim = new Claim(job, stopped, { backend, token, isGraceOver, onError: this.#onError });
    const verdict = await this.#verdict(job, claim);
    switch (verdict.kind) {
      case "completed":
        return verdict.record;
      case "failed":
        // Whatever `attempts` the app set: this is its end.
        throw new UnrecoverableError(verdict.reason);
      case "lost":
        // Without having moved it: that is the other worker's affair.
        throw new DelayedError();
      case "later": {
        const { at, record, fresh } = verdict;
        throw postponed(claim, { at, record, priority: fresh ? null : retriedPriority(classOf(job.data)) });
      }
      case "sorted":
        throw postponed(claim, { at: 0, record: null, priority: verdict.priority });
    }
  }

  async #verdict(job: Job, claim: Claim): Promise<Verdict | Sorted> {
    try {
      // Fetched before the stop, come after it: as when Redis was away meanwhile.
      if (this.#graceOver) return { kind: "later", at: 0, fresh: true, record: null };
      const priority = sortTo(job.data, job.priority);
      if (priority !== null) return { kind: "sorted", priority };
      return await this.#work({
        id: job.id ?? "",
        data: job.data,
        createdAt: job.timestamp,
        dueAt: job.timestamp + (job.opts.delay ?? 0),
        stalledCount: job.stalledCounter,
        progress: job.progress,
        signal: claim.signal,
        save: (record) => claim.save(record),
        replaceData: (data) => job.updateData(data),
      });
    } catch (error) {
      this.#onError(error as Error);
      return { kind: "later", at: Date.now() + DEFECT_DELAY_MS, fresh: false, record: null };
    }
  }
}

function postponed(claim: Claim, postponement: Postponement): PostponedError {
  return new PostponedError((fetchNext) => claim.postpone(postponement, fetchNext));
}
