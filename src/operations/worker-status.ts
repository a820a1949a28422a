import type { BreakerState } from "../core/index.ts";
import type { Gate } from "../gate/gate.ts";

/** What a worker tells of one provider. Instants are ISO 8601 in UTC. */
export type ProviderStatus = {
  /** Of its mail, as this worker gives it; 0 while its gate is shut. */
  readonly percent: number;
  readonly breaker: BreakerState;
  readonly isPaused: boolean;
  /** Why it gets less for being slow, in words; null: it is not. Absent: its worker is of an earlier release. */
  readonly slow?: string | null;
  /** The last failure that was the provider's, word for word, with its remedy. */
  readonly lastFailure: { readonly at: string; readonly reason: string; readonly remedy: string | null } | null;
};

/** What a worker tells of itself, for people. */
export type WorkerStatus = {
  readonly startedAt: string;
  readonly providers: Readonly<Record<string, ProviderStatus>>;
};

/** Characters of a reply that are told: it is sent every second. */
const REPLY_TOLD = 300;

export function workerStatus(gates: readonly Gate[], startedAt: Date): WorkerStatus {
  return {
    startedAt: startedAt.toISOString(),
    providers: Object.fromEntries(gates.map((gate) => [gate.provider.name, statusOf(gate)])),
  };
}

function statusOf({ percent, breakerState, isPaused, slowReason, lastFailure }: Gate): ProviderStatus {
  return {
    percent,
    breaker: breakerState,
    isPaused,
    slow: slowReason,
    lastFailure:
      lastFailure === null
        ? null
        : {
            at: new Date(lastFailure.at).toISOString(),
            reason: lastFailure.failure.reason.slice(0, REPLY_TOLD),
            remedy: lastFailure.failure.remedy ?? null,
          },
  };
}

/** As another worker told it; null where it is none that this version knows. */
export function readWorkerStatus(text: string): WorkerStatus | null {
  try {
    const status = JSON.parse(text) as Partial<WorkerStatus> | null;
    const isStatus = typeof status?.startedAt === "string" && typeof status.providers === "object";
    return isStatus ? (status as WorkerStatus) : null;
  } catch {
    return null;
  }
}
