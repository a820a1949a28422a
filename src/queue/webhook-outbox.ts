import { DelayedError, UnrecoverableError, Worker } from "bullmq";
import type { ConnectionOptions, Job } from "bullmq";
import type { QueueSettings } from "./mail-queue.ts";
import { WebhookQueue, readWebhookJob, webhookQueueName } from "./webhook-queue.ts";
import type { WebhookJob, WebhookRetry } from "./webhook-queue.ts";

/** What one try came to; `stopped`: the signal ended it before there was an answer. */
export type WebhookTry =
  | { readonly kind: "accepted" }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "stopped" };

export type WebhookFailure = {
  readonly endpoint: string;
  readonly eventId: string;
  readonly type: string;
  /** Mailover's id of the message. */
  readonly id: string;
  readonly attempt: number;
  /** Whether it was the last try, unless someone replays it. */
  readonly givenUp: boolean;
  readonly reason: string;
};

export type OutboxParts = {
  readonly connection: unknown;
  readonly name: string;
  readonly deliver: (job: WebhookJob, signal: AbortSignal) => Promise<WebhookTry>;
  readonly onFailed: (failure: WebhookFailure) => void;
  readonly onError: (error: Error) => void;
  readonly retry?: WebhookRetry;
};

/** Requests that one worker makes to one endpoint at once. */
const CONCURRENCY = 20;

/** At a stop: time in which requests under way may end, and then in which they are handed back. */
const GRACE_MS = 1_000;
const HANDOVER_MS = 2_000;

/** Puts an endpoint's events into its queue, and takes them out again to deliver them. Retries are the queue's. */
export class WebhookOutbox {
  readonly #endpoint: string;
  readonly #parts: OutboxParts;
  readonly #queue: WebhookQueue;
  readonly #worker: Worker;

  constructor(settings: QueueSettings, endpoint: string, parts: OutboxParts) {
    this.#endpoint = endpoint;
    this.#parts = parts;
    this.#queue = new WebhookQueue(settings, endpoint, parts.connection, parts.retry);
    this.#worker = new Worker(
      webhookQueueName(settings, endpoint),
      (job, token, signal) => this.#process(job, token ?? "", signal ?? new AbortController().signal),
      {
        connection: parts.connection as ConnectionOptions,
        prefix: settings.prefix,
        name: parts.name,
        autorun: false,
        concurrency: CONCURRENCY,
        // An event is not lost for having met several crashes; BullMQ would fail it after one.
        maxStalledCount: Number.MAX_SAFE_INTEGER,
      },
    );
    this.#worker.on("error", parts.onError);
  }

  async start(): Promise<void> {
    await this.#worker.waitUntilReady();
    void this.#worker.run().catch(this.#parts.onError);
  }

  put(job: WebhookJob): Promise<void> {
    return this.#queue.put(job);
  }

  /** While Redis is away it ends in time all the same: what was under way is taken up again when its lock runs out. */
  async stop(): Promise<void> {
    const grace = setTimeout(() => this.#worker.cancelAllJobs("the gateway stops"), GRACE_MS);
    let limit: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      limit = setTimeout(resolve, GRACE_MS + HANDOVER_MS);
    });
    await Promise.race([this.#worker.close().then(() => this.#queue.close()), late]);
    clearTimeout(limit);
    clearTimeout(grace);
  }

  async #process(job: Job, token: string, signal: AbortSignal): Promise<void> {
    const webhook = this.#read(job);
    const result = await this.#parts.deliver(webhook, signal);
    if (result.kind === "accepted") return;
    if (result.kind === "stopped") {
      await job.moveToDelayed(Date.now(), token);
      throw new DelayedError();
    }
    const attempt = job.attemptsMade + 1;
    const { eventId, type, id } = webhook;
    const { reason } = result;
    const givenUp = attempt >= (job.opts.attempts ?? 1);
    this.#parts.onFailed({ endpoint: this.#endpoint, eventId, type, id, attempt, givenUp, reason });
    throw new Error(reason);
  }

  #read(job: Job): WebhookJob {
    try {
      return readWebhookJob(job.data);
    } catch {
      throw new UnrecoverableError("is no event of a version that is known here");
    }
  }
}
