import { Job, Queue, QueueEvents } from "bullmq";
import type { ConnectionOptions } from "bullmq";
import type { DeliveryRecord } from "../core/index.ts";
import type { QueueSettings } from "./mail-queue.ts";

/** How a followed message ended. */
export type Ending =
  | { readonly kind: "relayed"; readonly record: DeliveryRecord }
  | { readonly kind: "failed"; readonly reason: string; readonly record: DeliveryRecord | null };

/** What can be told of a message while it is followed. */
export type Following = { readonly kind: "progress"; readonly record: DeliveryRecord } | Ending;

type Watch = {
  readonly progress: (record: DeliveryRecord) => void;
  readonly look: () => void;
  readonly lookAtProgress: () => void;
};

/** Events before the first read of their stream, or trimmed from it before they were read, never come. */
const LOOK_AGAIN_MS = 3_000;

/** Follows jobs by BullMQ's own events, as any of its clients can. */
export class Follower {
  readonly #queue: Queue;
  readonly #events: QueueEvents;
  readonly #watches = new Map<string, Set<Watch>>();
  readonly #lookAgain: NodeJS.Timeout;

  constructor(settings: QueueSettings, connection: unknown) {
    const options = { connection: connection as ConnectionOptions, prefix: settings.prefix };
    this.#queue = new Queue(settings.name, options);
    this.#events = new QueueEvents(settings.name, options);
    // Without a listener an emitted error ends the process; the connection's owner reports them.
    this.#queue.on("error", () => undefined);
    this.#events.on("error", () => undefined);
    this.#lookAgain = setInterval(() => {
      for (const jobId of this.#watches.keys()) this.#each(jobId, (watch) => watch.look());
    }, LOOK_AGAIN_MS);
    const look = ({ jobId }: { jobId: string }): void => this.#each(jobId, (watch) => watch.look());
    this.#events.on("completed", look);
    this.#events.on("failed", look);
    // One that is to wait gets its progress with the move, and no event for it.
    this.#events.on("delayed", ({ jobId }) => this.#each(jobId, (watch) => watch.lookAtProgress()));
    this.#events.on("progress", ({ jobId, data }) =>
      this.#each(jobId, (watch) => watch.progress(data as unknown as DeliveryRecord)),
    );
  }

  async ready(): Promise<void> {
    await this.#events.waitUntilReady();
  }

  /** Calls back for each step of the job until its end, which it resolves with. Rejects when the signal aborts. */
  async follow(jobId: string, onStep: (step: Following) => void, signal: AbortSignal): Promise<Ending> {
    await this.ready();
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        const watches = this.#watches.get(jobId);
        if (watches?.delete(watch) !== true) return;
        if (watches.size === 0) this.#watches.delete(jobId);
        signal.removeEventListener("abort", onAbort);
        settle();
      };
      const onAbort = (): void => finish(() => reject(signal.reason as Error));
      const look = async (): Promise<void> => {
        const ending = await this.#ending(jobId);
        if (ending === null) return;
        finish(() => {
          onStep(ending);
          resolve(ending);
        });
      };
      const progress = (record: DeliveryRecord): void => onStep({ kind: "progress", record });
      const lookAtProgress = async (): Promise<void> => {
        const record = recordOf(await Job.fromId(this.#queue, jobId));
        // It may have ended meanwhile, and that was told.
        if (record !== null && this.#watches.get(jobId)?.has(watch) === true) progress(record);
      };
      const unlessItFails = (looking: Promise<void>): void =>
        void looking.catch((error: unknown) => finish(() => reject(error as Error)));
      const watch: Watch = {
        progress,
        look: () => unlessItFails(look()),
        lookAtProgress: () => unlessItFails(lookAtProgress()),
      };
      this.#watches.set(jobId, (this.#watches.get(jobId) ?? new Set()).add(watch));
      signal.addEventListener("abort", onAbort, { once: true });
      // It may have ended before anybody listened.
      watch.look();
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#lookAgain);
    await Promise.all([this.#events.close(), this.#queue.close()]);
  }

  #each(jobId: string, tell: (watch: Watch) => void): void {
    for (const watch of this.#watches.get(jobId) ?? []) tell(watch);
  }

  async #ending(jobId: string): Promise<Ending | null> {
    const job = await Job.fromId(this.#queue, jobId);
    if (job === undefined) return { kind: "failed", reason: `there is no job ${jobId}`, record: null };
    if (!job.finishedOn) return null;
    if (job.failedReason) {
      return { kind: "failed", reason: job.failedReason, record: recordOf(job) };
    }
    return { kind: "relayed", record: job.returnvalue as DeliveryRecord };
  }
}

function recordOf(job: Job | undefined): DeliveryRecord | null {
  return typeof job?.progress === "object" ? (job.progress as unknown as DeliveryRecord) : null;
}
