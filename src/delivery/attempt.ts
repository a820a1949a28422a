import { classify } from "../core/index.ts";
import type { Clock, Emit, Message, Outcome, Stage } from "../core/index.ts";
import type { Upstream } from "./route.ts";

export type AttemptParts = {
  readonly clock: Clock;
  readonly emit: Emit;
  /** Backstop behind the provider's own time limits. */
  readonly attemptTimeoutMs: number;
};

/**
 * Makes one attempt at one provider, with its gate told of the stages and the outcome. `signal` stops it: because the
 * gateway ends, or because the job is another worker's now. Null: the gate shut while it waited for a connection, so
 * that no attempt was made.
 */
export async function attempt(
  upstream: Upstream,
  transmission: { readonly message: Message; readonly recipients: readonly string[]; readonly number: number },
  signal: AbortSignal,
  parts: AttemptParts,
): Promise<Outcome | null> {
  const { message, recipients, number } = transmission;
  const { provider } = upstream.gate;
  const passage = upstream.gate.begin(message.from.address);
  const stop = (): void => passage.abandon("the attempt was stopped", true);
  const timer = setTimeout(stop, parts.attemptTimeoutMs);
  signal.addEventListener("abort", stop, { once: true });
  const startedAt = parts.clock();
  const onStage = (stage: Stage): void => {
    if (passage.stage() === "queue" && stage !== "queue") {
      parts.emit({ type: "attempt.started", id: message.id, attempt: number, provider: upstream.name });
    }
    passage.onStage(stage);
  };
  try {
    const outcome = await provider
      .send({ message, recipients }, { signal: passage.signal, onStage })
      .catch((error: unknown) => defect(error, passage.stage()));
    await passage.end(outcome);
    if (passage.turnedAway()) return null;
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
    clearTimeout(timer);
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
