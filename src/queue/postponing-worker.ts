import { DelayedError, Worker } from "bullmq";
import type { Job, JobJson } from "bullmq";

/** What BullMQ's backend answers where it was to fetch the next job as well: its data and its id, or nothing. */
export type NextJob = readonly [data: JobJson, id: string, ...rest: unknown[]] | readonly [];

/** Thrown by a processor whose job is to come back later. */
export class PostponedError extends DelayedError {
  /** Moves the job and, where `fetchNext`, takes the next one in the same command. Never rejects. */
  readonly move: (fetchNext: boolean) => Promise<NextJob>;

  constructor(move: (fetchNext: boolean) => Promise<NextJob>) {
    super();
    this.move = move;
  }
}

type Handling = Parameters<Worker["handleFailed"]>;

/**
 * A worker whose jobs can be moved to a later time in the command that fetches its next job, as BullMQ itself does with
 * jobs that ended and with those that it retries. A job that its processor moves costs a command more.
 */
export class PostponingWorker extends Worker {
  protected override async handleFailed(...handling: Handling): Promise<Job> {
    const [error, , token, mayFetchNext = () => true] = handling;
    if (!(error instanceof PostponedError)) return super.handleFailed(...handling);
    const [data, id] = await error.move(mayFetchNext() && !this.closing && !this.isPaused());
    // BullMQ's type says that there always is one; its main loop knows better, as its own way of handling this does.
    return this.nextJobFromJobData(data, id, token);
  }
}
