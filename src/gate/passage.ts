import { contentHasBegun } from "../core/index.ts";
import type { Outcome, Stage } from "../core/index.ts";

/** One attempt as its gate follows it. */
export type Passage = {
  /** Aborts when the gate abandons the attempt. */
  readonly signal: AbortSignal;
  /** To be told of each stage as it begins. */
  readonly onStage: (stage: Stage) => void;
  /** How far it came. */
  readonly stage: () => Stage;
  /** Whether the gate shut while it still waited for a connection: nothing was tried. */
  readonly turnedAway: () => boolean;
  /** Abandons the attempt, unless its content has begun and `evenContent` is not given. */
  readonly abandon: (reason: string, evenContent?: boolean) => void;
  /** To be called with the outcome, once. */
  readonly end: (outcome: Outcome) => Promise<void>;
};

/** What the gate makes of an attempt's course. */
export type PassageParts = {
  /** An attempt still short of its content after this long counts as a failure while it runs. */
  readonly slowAfterMs: number;
  readonly onSlow: (passage: Passage) => void;
  /** A stage began: the first that is not `queue`, and each one after it. */
  readonly onProgress: (passage: Passage, stage: Stage) => void;
  /**
   * It is over. `hadVerdict`: its provider has been judged for it already, or was not given the time to do better. Not
   * told of one that was turned away.
   */
  readonly onEnd: (passage: Passage, outcome: Outcome, hadVerdict: boolean) => Promise<void>;
  /** It is gone, however it ended. Before `onEnd`. */
  readonly onGone: (passage: Passage, outcome: Outcome) => void;
};

/** Follows one attempt from its start. */
export function openPassage(parts: PassageParts): Passage {
  const controller = new AbortController();
  let stage: Stage = "queue";
  let isSlow = false;
  let turnedAway = false;
  let ended = false;
  let timer: NodeJS.Timeout | null = null;
  const slow = (): void => {
    if (contentHasBegun(stage) || controller.signal.aborted) return;
    isSlow = true;
    parts.onSlow(passage);
  };
  const passage: Passage = {
    signal: controller.signal,
    stage: () => stage,
    turnedAway: () => turnedAway && stage === "queue",
    onStage: (next) => {
      stage = next;
      if (next === "queue" || ended) return;
      // Waiting for a connection of our own is not the provider's slowness; the time runs from its first step.
      timer ??= setTimeout(slow, parts.slowAfterMs);
      parts.onProgress(passage, next);
    },
    abandon: (reason, evenContent = false) => {
      if (!evenContent && contentHasBegun(stage)) return;
      turnedAway = stage === "queue" && !evenContent;
      controller.abort(new Error(reason));
    },
    end: async (outcome) => {
      ended = true;
      if (timer !== null) clearTimeout(timer);
      parts.onGone(passage, outcome);
      if (passage.turnedAway()) return;
      await parts.onEnd(passage, outcome, isSlow || controller.signal.aborted);
    },
  };
  return passage;
}
