import type { LogLine } from "./gateway-process.ts";

/** An attempt at the primary, as a gateway's log tells of it. Instants are epoch milliseconds. */
export type Attempt = {
  /** Of the message. */
  readonly id: string;
  readonly outcome: string;
  readonly reply: string;
  readonly startedAt: number;
  readonly durationMs: number;
};

/** All attempts at the primary that came to an end. */
export function attemptsAtPrimary(logs: readonly (readonly LogLine[])[]): Attempt[] {
  return logs.flat().flatMap(({ event, provider, time, id, outcome, reply, durationMs }) => {
    if (event !== "attempt.ended" || provider !== "primary") return [];
    const lastedMs = Number(durationMs);
    return [
      {
        id: String(id),
        outcome: String(outcome),
        reply: String(reply),
        startedAt: Date.parse(time) - lastedMs,
        durationMs: lastedMs,
      },
    ];
  });
}

/** Messages by the jobs that they were pushed as. */
export function messageIdsByJob(logs: readonly (readonly LogLine[])[]): Map<string, string> {
  const received = logs.flat().filter(({ event }) => event === "message.received");
  return new Map(received.map(({ jobId, id }) => [String(jobId), String(id)]));
}

/** Attempts at the primary that were under way when each gateway first shut it out, or that ended in that very opening. */
export function inFlightAtOpening(logs: readonly (readonly LogLine[])[]): number {
  return logs.reduce((sum, lines) => sum + inFlight(lines), 0);
}

function inFlight(lines: readonly LogLine[]): number {
  const opening = lines.findIndex(
    ({ event, provider, to }) =>
      (event === "breaker.changed" || event === "fleet.changed") && provider === "primary" && to === "open",
  );
  const before = lines.slice(0, opening).filter(({ provider }) => provider === "primary");
  const open = new Set<string>();
  for (const { event, id, attempt } of before) {
    if (event === "attempt.started") open.add(`${String(id)} ${String(attempt)}`);
    if (event === "attempt.ended") open.delete(`${String(id)} ${String(attempt)}`);
  }
  // Those whose failures opened it had ended by then.
  const uncertainBefore = before.filter(({ event, outcome }) => event === "attempt.ended" && outcome === "uncertain");
  return open.size + uncertainBefore.length;
}
