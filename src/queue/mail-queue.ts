import { Queue } from "bullmq";
import type { ConnectionOptions } from "bullmq";
import { classOf, freshPriority } from "./priority.ts";

export type QueueSettings = {
  /** Name of the BullMQ queue. */
  readonly name: string;
  /** BullMQ's key prefix; on a Redis Cluster it needs a hash tag, as in "{bull}". */
  readonly prefix: string;
};

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
