import { Job, Queue, QueueEvents } from "bullmq";
import type { ConnectionOptions } from "bullmq";
import type { DeliveryRecord } from "../core/index.ts";
import type { QueueSettings } from "./mail-queue.ts";

/** What can be told of a message while it is followed. */
export type Following =
  | { readonly kind: "progress"; readonly record: DeliveryRecord }
  | { readonly kind: "relayed"; readonly record: DeliveryRecord }
  | { readonly kind: "failed"; readonly reason: string; readonly record: DeliveryRecord | null };

/** Follows jobs by BullMQ's own events, as any of its clients can. */
export class Follower {
  readonly #queue: Queue;
  readonly #events: QueueEvents;

  constructor(settings: QueueSettings, connection: unknown) {
    const options = { connection: connection as ConnectionOptions, prefix: settings.prefix };
    this.#queue = new Queue(settings.name, options);
    this.#events = new QueueEvents(settings.name, options);
    this.#queue.on("error", () => undefined);
    this.#events.on("error", () => undefined);
  }

  async ready(): Promise<void> {
    await this.#events.waitUntilReady();
  }

  /** Calls back for each step of the job until its end, which it resolves with. Rejects when the signal aborts. */
  async follow(
    jobId: string,
    onStep: (step: Following) => void,
    signal: AbortSignal,
  ): Promise<Exclude<Following, { kind: "progress" }>> {
    await this.ready();
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#events.off("progress", onProgress);
        this.#events.off("completed", onEnd);
        this.#events.off("failed", onEnd);
        signal.removeEventListener("abort", onAbort);
      };
      const onAbort = (): void => {
        end();
        reject(signal.reason as Error);
      };
      const onProgress = (event: { jobId: string; data: unknown }): void => {
        if (event.jobId === jobId) onStep({ kind: "progress", record: event.data as DeliveryRecord });
      };
      const look = async (): Promise<void> => {
        const last = await this.#end(jobId);
        if (last === null) return;
        end();
        onStep(last);
        resolve(last);
      };
      const onEnd = (event: { jobId: string }): void => {
        if (event.jobId === jobId) look().catch(reject);
      };
      this.#events.on("progress", onProgress);
      this.#events.on("completed", onEnd);
      this.#events.on("failed", onEnd);
      signal.addEventListener("abort", onAbort, { once: true });
      // It may have ended before the listeners were there.
      look().catch(reject);
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.#events.close(), this.#queue.close()]);
  }

  async #end(jobId: string): Promise<Exclude<Following, { kind: "progress" }> | null> {
    const job = await Job.fromId(this.#queue, jobId);
    if (job === undefined) return { kind: "failed", reason: `there is no job ${jobId}`, record: null };
    if (job.finishedOn === undefined || job.finishedOn === null) return null;
    if (job.failedReason !== undefined && job.failedReason !== null && job.failedReason !== "") {
      const record = typeof job.progress === "object" ? (job.progress as DeliveryRecord) : null;
      return { kind: "failed", reason: job.failedReason, record };
    }
    return { kind: "relayed", record: job.returnvalue as DeliveryRecord };
  }
}
