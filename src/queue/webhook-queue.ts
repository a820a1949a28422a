import { Queue } from "bullmq";
import type { ConnectionOptions, Job } from "bullmq";
import { z } from "zod";
import type { QueueSettings } from "./mail-queue.ts";

/** One event on its way to one endpoint. */
const WebhookJob = z.object({
  /** The same for every endpoint and on every try. */
  eventId: z.string(),
  type: z.string(),
  /** Mailover's id of the message. */
  id: z.string(),
  /** What is posted, byte for byte. */
  body: z.string(),
});
export type WebhookJob = z.output<typeof WebhookJob>;

/** How often a delivery is tried, and how long after the first failure it is tried again. */
export type WebhookRetry = { readonly attemptCount: number; readonly firstDelayMs: number };

/** Waits of 5 s, doubled each time and shortened by up to a fifth: 15 tries in 18 to 23 h. */
const RETRY: WebhookRetry = { attemptCount: 15, firstDelayMs: 5_000 };
const JITTER = 0.2;

/** Deliveries that were given up are kept for this long, and so many of them, to be replayed. */
const KEEP_FAILED = { age: 7 * 86_400, count: 10_000 };

export type WebhookCounts = {
  /** Not tried yet, or being tried. */
  readonly waiting: number;
  /** Failed, and due to be tried again. */
  readonly retrying: number;
  /** Given up. */
  readonly failed: number;
};

export type FailedWebhook = Omit<WebhookJob, "body"> & {
  readonly attemptCount: number;
  /** Epoch milliseconds. */
  readonly failedAt: number;
  readonly reason: string;
};

/**
 * Name of the BullMQ queue of an endpoint. Each has its own, so that one that does not answer holds up its own events
 * and nobody else's.
 */
export function webhookQueueName(settings: QueueSettings, endpoint: string): string {
  return `${settings.name}-webhooks-${endpoint}`;
}

/** What a job of the queue holds. Throws where it is not one of ours. */
export function readWebhookJob(data: unknown): WebhookJob {
  return WebhookJob.parse(data);
}

/** The events that wait for one endpoint, and those that were given up. */
export class WebhookQueue {
  readonly #queue: Queue;
  readonly #retry: WebhookRetry;

  constructor(settings: QueueSettings, endpoint: string, connection: unknown, retry: WebhookRetry = RETRY) {
    this.#retry = retry;
    this.#queue = new Queue(webhookQueueName(settings, endpoint), {
      connection: connection as ConnectionOptions,
      prefix: settings.prefix,
    });
    // Without a listener an emitted error ends the process; the connection's owner reports them.
    this.#queue.on("error", () => undefined);
  }

  async put(job: WebhookJob): Promise<void> {
    await this.#queue.add(job.type, job, {
      jobId: job.eventId,
      attempts: this.#retry.attemptCount,
      backoff: { type: "exponential", delay: this.#retry.firstDelayMs, jitter: JITTER },
      removeOnComplete: true,
      removeOnFail: KEEP_FAILED,
      stackTraceLimit: 0,
    });
  }

  async counts(): Promise<WebhookCounts> {
    const counts = await this.#queue.getJobCounts("waiting", "active", "delayed", "failed");
    return {
      waiting: (counts["waiting"] ?? 0) + (counts["active"] ?? 0),
      retrying: counts["delayed"] ?? 0,
      failed: counts["failed"] ?? 0,
    };
  }

  /** The latest of those that were given up, latest first. */
  async failed(limit: number): Promise<FailedWebhook[]> {
    const jobs = await this.#queue.getFailed(0, limit - 1);
    return jobs.map((job) => {
      const { eventId, type, id } = readWebhookJob(job.data);
      const { attemptsMade: attemptCount, finishedOn: failedAt = 0, failedReason: reason } = job;
      return { eventId, type, id, attemptCount, failedAt, reason };
    });
  }

  /**
   * Tries again at once what was given up, from the first try on, and what waits to be tried again. `since` leaves out
   * events before it, epoch milliseconds. Returns how many.
   */
  async replay(since: number): Promise<number> {
    const failed = await this.#replayEach("failed", since, (job) =>
      job.retry("failed", { resetAttemptsMade: true, resetAttemptsStarted: true }),
    );
    return failed + (await this.#replayEach("delayed", since, (job) => job.promote()));
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }

  async #replayEach(state: "failed" | "delayed", since: number, act: (job: Job) => Promise<void>): Promise<number> {
    const jobs = await this.#queue.getJobs([state]);
    let count = 0;
    for (const job of jobs.filter(({ timestamp }) => timestamp >= since)) {
      try {
        await act(job);
        count += 1;
      } catch (error) {
        // It came due, or someone else replayed it, between the look and the act.
        if ((await job.getState()) === state) throw error;
      }
    }
    return count;
  }
}
