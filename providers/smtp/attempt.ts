import type { SendOptions, Stage } from "../../src/core/index.ts";
import type { Interruption } from "./evidence.ts";

/** One attempt: where it stands, and what may stop it. Its signal aborts with the caller's, by the clock, or by `stop`. */
export class Attempt implements SendOptions {
  readonly #controller = new AbortController();
  readonly #caller: SendOptions;
  #stage: Stage = "queue";
  #deadline: NodeJS.Timeout | null = null;

  constructor(caller: SendOptions) {
    this.#caller = caller;
    if (caller.signal.aborted) this.#follow();
    else caller.signal.addEventListener("abort", this.#follow, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get stage(): Stage {
    return this.#stage;
  }

  readonly onStage = (stage: Stage): void => {
    this.#stage = stage;
    this.#caller.onStage(stage);
  };

  readonly commit = async (): Promise<boolean> => this.#caller.commit?.() ?? true;

  /** From now on it may take so long. */
  startClock(totalMs: number): void {
    const overdue = { errorCode: "ETIMEDOUT", text: `the attempt was not done within ${totalMs} ms` } as const;
    this.#deadline = setTimeout(() => this.stop(overdue), totalMs);
  }

  stop(reason: Interruption): void {
    this.#controller.abort(reason);
  }

  /** Waits for work that may not heed the signal. Null: it aborted first. */
  async untilStopped<T>(work: Promise<T>): Promise<T | null> {
    const { signal } = this;
    let onAbort = (): void => {};
    const stopped = new Promise<null>((resolve) => {
      onAbort = () => resolve(null);
      if (signal.aborted) onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      return await Promise.race([work, stopped]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Lets go of the clock and of the caller's signal. */
  end(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#caller.signal.removeEventListener("abort", this.#follow);
  }

  readonly #follow = (): void => {
    this.#controller.abort(this.#caller.signal.reason);
  };
}
