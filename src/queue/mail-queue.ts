import { ErrorCode, Queue } from "bullmq";
import type { ConnectionOptions, Job } from "bullmq";
import { classOf, freshPriority } from "./priority.ts";

export type QueueSettings = {
  /** Name of the BullMQ queue. */
  readonly name: string;
  /** BullMQ's key prefix; on a Redis Cluster it needs a hash tag, as in "{bull}". */
  readonly prefix: string;
};

/** A job as it is kept, seen from outside its worker. */
export type KeptJob = {
  readonly id: string;
  /** As it lies there: unchecked, maybe sealed, maybe without its content. */
  readonly data: unknown;
  /** When the app pushed it, epoch milliseconds. */
  readonly createdAt: number;
  /** When it was first due, epoch milliseconds. */
  readonly dueAt: number;
  /** How often a worker died, or lost Redis, while it had it. */
  readonly stalledCount: number;
  /** The record that was saved last, and the one it completed with: unchecked. */
  readonly progress: unknown;
  readonly result: unknown;
  /** Why it failed, or null. */
  readonly failedReason: string | null;
  /** BullMQ's: waiting, prioritized, active, delayed, completed, failed. */
  readonly state: string;
};

/** Delayed jobs that are read at once. */
const PAGE = 200;

/** The queue that apps push messages into. */
export class MailQueue {
  readonly #queue: Queue;

  constructor(settings: QueueSettings, connection: unknown) {
    this.#queue = new Queue(settings.name, { connection: connection as ConnectionOptions, prefix: settings.prefix });
    // Without a listener an emitted error ends the process; the connection's owner reports them.
    this.#queue.on("error", () => undefined);
  }

  /** Pushes a message's data as it is and returns the job's id. The same `jobId` is the same job while it is kept. */
  async push(data: object, options: { readonly jobId?: string } = {}): Promise<string> {
    const job = await this.#queue.add("message", data, { priority: freshPriority(classOf(data)), ...options });
    return job.id ?? "";
  }

  /** A job by its id; null where it is not kept. */
  async find(jobId: string): Promise<KeptJob | null> {
    const job = await this.#queue.getJob(jobId);
    return job === undefined ? null : keptJob(job, await job.getState());
  }

  /** All jobs that wait for their time, earliest first. One that comes or goes meanwhile may be missed. */
  async *delayed(): AsyncGenerator<KeptJob> {
    for (let start = 0; ; start += PAGE) {
      const jobs = await this.#queue.getDelayed(start, start + PAGE - 1);
      // What was removed while the page was read is null.
      for (const job of jobs) if (job) yield keptJob(job, "delayed");
      if (jobs.length < PAGE) return;
    }
  }

  /** Lets a job that waits for its time go now, at its place in the row. False where it does not wait for its time. */
  async promote(jobId: string): Promise<boolean> {
    const job = await this.#queue.getJob(jobId);
    try {
      await job?.promote();
      return job !== undefined;
    } catch (error) {
      if ((error as { code?: unknown }).code === ErrorCode.JobNotInState) return false;
      throw error;
    }
  }

  /** How many jobs are in each state. */
  async counts(): Promise<Readonly<Record<string, number>>> {
    return this.#queue.getJobCounts("waiting", "prioritized", "active", "delayed", "completed", "failed");
  }

  /** Names of the workers that are connected, as `host:pid`; empty where CLIENT LIST is forbidden. */
  async workerNames(): Promise<string[]> {
    const workers = await this.#queue.getWorkers();
    return workers.flatMap(({ rawname }) => rawname?.split(":w:")[1] ?? []);
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}

function keptJob(job: Job, state: string): KeptJob {
  return {
    id: job.id ?? "",
    data: job.data as unknown,
    createdAt: job.timestamp,
    dueAt: job.timestamp + (job.opts.delay ?? 0),
    stalledCount: job.stalledCounter,
    progress: job.progress,
    result: job.returnvalue as unknown,
    failedReason: job.failedReason ?? null,
    state,
  };
}
