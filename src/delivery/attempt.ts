import { classify } from "../core/index.ts";
import type { Clock, Emit, Message, Outcome, Stage } from "../core/index.ts";
import { JOB_LOST } from "../queue/claim.ts";
import type { Entry } from "./journal.ts";
import type { Upstream } from "./order.ts";

export type AttemptParts = {
  readonly clock: Clock;
  readonly emit: Emit;
  /** Backstop behind the provider's own time limits. */
  readonly attemptTimeoutMs: number;
};

export type Trial = {
  readonly message: Message;
  readonly recipients: readonly string[];
  readonly number: number;
  /** The content is not begun after this instant. Epoch milliseconds. */
  readonly giveUpAt: number;
  /** Given up for another provider where its content has not begun after this time; null: not for that. */
  readonly hedgeAfterMs: number | null;
  /** Told when the attempt begins, and asked before its content leaves. */
  readonly entry: Entry;
};

/** Time a provider gets to end an attempt that was stopped. One that does not is left behind, whatever it goes on to do. */
const STOPPING_MS = 10_000;

/**
 * Makes one attempt at one provider, with its gate told of the stages and the outcome. `signal` stops it: because the
 * gateway ends, or because the job is another worker's now. `turned-away`, `hedged`: the gate shut, or the time for it was
 * over, while it waited for a connection, so that no attempt was made.
 */
export async function attempt(
  upstream: Upstream,
  trial: Trial,
  signal: AbortSignal,
  parts: AttemptParts,
): Promise<Outcome | "turned-away" | "hedged"> {
  const { message, recipients, number, giveUpAt, hedgeAfterMs, entry } = trial;
  const { provider } = upstream.gate;
  const passage = upstream.gate.begin(message.from.address);
  // A job that was lost is left to end once its content is out: its answer is the only one there will be.
  const stop = (): void => passage.abandon("the attempt was stopped", signal.reason !== JOB_LOST);
  const startedAt = parts.clock();
  const timeLeftMs = giveUpAt - startedAt;
  const timers = [setTimeout(stop, parts.attemptTimeoutMs)];
  if (timeLeftMs < parts.attemptTimeoutMs) {
    timers.push(setTimeout(() => passage.abandon("the time of the message is over"), timeLeftMs));
  }
  let hedged = false;
  if (hedgeAfterMs !== null) {
    const hedge = (): void => {
      hedged = true;
      passage.abandon(`its content had not begun after ${hedgeAfterMs} ms, and another provider is free`);
    };
    timers.push(setTimeout(hedge, hedgeAfterMs));
  }
  signal.addEventListener("abort", stop, { once: true });
  let leftBehind = false;
  const stubborn = new Promise<Outcome>((resolve) => {
    const leave = (): void => {
      leftBehind = true;
      resolve(unstoppable(passage.stage()));
    };
    passage.signal.addEventListener("abort", () => timers.push(setTimeout(leave, STOPPING_MS)), { once: true });
  });
  const onStage = (stage: Stage): void => {
    if (passage.stage() === "queue" && stage !== "queue") {
      entry.begin();
      parts.emit({ type: "attempt.started", id: message.id, attempt: number, provider: upstream.name });
    }
    passage.onStage(stage);
  };
  const commit = async (): Promise<boolean> => {
    const committed = await entry.commit().catch(() => false);
    // Not the provider's fault, and so not to be held against it.
    if (!committed) passage.abandon("the ledger does not let the content leave");
    return committed;
  };
  try {
    const options = { signal: passage.signal, onStage, commit };
    const sending = (async () => provider.send({ message, recipients }, options))();
    const outcome = await Promise.race([sending.catch((error: unknown) => defect(error, passage.stage())), stubborn]);
    await passage.end(outcome);
    if (passage.turnedAway() && !leftBehind && !entry.hasBegun()) return hedged ? "hedged" : "turned-away";
    const failure = outcome.kind === "relayed" ? null : outcome.failure;
    parts.emit({
      type: "attempt.ended",
      id: message.id,
      attempt: number,
      provider: upstream.name,
      outcome: outcome.kind,
      stage: failure?.stage ?? passage.stage(),
      cause: failure?.cause ?? null,
      status: failure?.status ?? null,
      reply: outcome.kind === "relayed" ? outcome.reply : outcome.failure.reason,
      rule: failure?.rule ?? null,
      remedy: failure?.remedy ?? null,
      durationMs: parts.clock() - startedAt,
    });
    return outcome;
  } finally {
    for (const timer of timers) clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

/** A provider that throws has a defect; its message must neither be lost nor sent twice for it. */
function defect(error: unknown, stage: Stage): Outcome {
  const text = `defect in the provider: ${error instanceof Error ? error.message : String(error)}`;
  const failure = classify([], { stage, text });
  return failure.cause === "uncertain"
    ? { kind: "uncertain", failure, refused: [] }
    : { kind: "deferred", failure, refused: [] };
}

/** An attempt that goes on although it was stopped may still hand the message over. */
function unstoppable(stage: Stage): Outcome {
  const text = `defect in the provider: it did not end its attempt within ${STOPPING_MS} ms of being stopped`;
  return { kind: "uncertain", failure: { ...classify([], { stage: "reply", text }), stage }, refused: [] };
}
