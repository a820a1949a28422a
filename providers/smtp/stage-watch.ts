import type { Stage } from "../../src/core/index.ts";

/** How long a stage may go without an answer, and what to say when it did. */
export type Limit = { readonly ms: number; readonly awaited: string };

/**
 * Where a connection stands: reports each stage as it begins, and calls `onOverdue` when the one it is in shows no
 * progress within its limit.
 */
export class StageWatch {
  /** Told of each stage as it begins. Set anew for each attempt, since connections outlive them. */
  onStage: (stage: Stage) => void;
  onOverdue: (text: string) => void = () => {};
  #stage: Stage;
  #timer: NodeJS.Timeout | null = null;

  constructor(stage: Stage, onStage: (stage: Stage) => void) {
    this.#stage = stage;
    this.onStage = onStage;
  }

  get stage(): Stage {
    return this.#stage;
  }

  /** Enters a stage, or waits for the next thing within the same one. */
  begin(stage: Stage, limit: Limit): void {
    this.#limit(limit);
    if (stage !== this.#stage) this.#enter(stage);
  }

  /** Begins an attempt or a connection, so that its first stage is reported even where the last one ended in it. */
  restart(stage: Stage, limit: Limit): void {
    this.#limit(limit);
    this.#enter(stage);
  }

  /** There was progress: the limit counts from now. */
  progress(): void {
    this.#timer?.refresh();
  }

  /** Nothing is awaited. */
  rest(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Set before the stage is told: whoever is told may stop the attempt there and then, which clears it. */
  #limit({ ms, awaited }: Limit): void {
    this.rest();
    this.#timer = setTimeout(() => this.onOverdue(`no ${awaited} within ${ms} ms`), ms);
  }

  #enter(stage: Stage): void {
    this.#stage = stage;
    this.onStage(stage);
  }
}
