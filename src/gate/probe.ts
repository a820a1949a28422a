import type { Clock, Failure, Provider, Stage } from "../core/index.ts";

export type ProbeResult = {
  readonly ok: boolean;
  /** The stage it failed in, or came to last. */
  readonly stage: Stage | null;
  readonly reason: string;
  readonly failure: Failure | null;
};

/**
 * Checks a provider without mail, within `timeoutMs` and until `signal` aborts. A provider that answers, but takes longer than `slowAfterMs`, has
 * not come back: mail would only open its breaker again.
 */
export async function probe(
  provider: Provider,
  options: {
    readonly timeoutMs: number;
    readonly slowAfterMs: number;
    readonly clock: Clock;
    readonly signal: AbortSignal;
  },
): Promise<ProbeResult> {
  const controller = new AbortController();
  let stage: Stage | null = null;
  const startedAt = options.clock();
  let timer: NodeJS.Timeout | undefined;
  let stop = (): void => undefined;
  // Raced, not only aborted: a provider that ignores its signal must not leave the breaker half-open for ever.
  const late = new Promise<never>((_resolve, reject) => {
    const end = (error: Error): void => {
      controller.abort(error);
      reject(error);
    };
    timer = setTimeout(() => end(new Error(`no end within ${options.timeoutMs} ms`)), options.timeoutMs);
    stop = () => end(options.signal.reason as Error);
    options.signal.addEventListener("abort", stop, { once: true });
  });
  try {
    const onStage = (next: Stage): void => {
      stage = next;
    };
    const verification = await Promise.race([provider.verify({ signal: controller.signal, onStage }), late]);
    const tookMs = options.clock() - startedAt;
    if (!verification.ok) {
      const { failure } = verification;
      return { ok: false, stage: failure.stage, reason: `${failure.stage}: ${failure.reason}`, failure };
    }
    if (tookMs > options.slowAfterMs) return { ok: false, stage, reason: `it took ${tookMs} ms`, failure: null };
    return { ok: true, stage, reason: `it took ${tookMs} ms`, failure: null };
  } catch (error) {
    return { ok: false, stage, reason: error instanceof Error ? error.message : String(error), failure: null };
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener("abort", stop);
  }
}
