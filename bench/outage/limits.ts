import type { Outage } from "./faults.ts";
import type { GatewayFigures } from "./trial.ts";

/** Of a fleet: p99 of all messages but those that waited for the primary's time-out. */
const P99_MS = 500;

/** Of a fleet: from the primary's return until it has all of its mail again. */
const WAY_BACK_MS = 60_000;

/** The limits that were missed, in words; none: all is well. */
export function missedLimits(outage: Outage, figures: GatewayFigures, workerCount: number): string[] {
  const missed = workerCount > 1 ? missedByFleet(figures, workerCount) : missedByOne(outage, figures);
  return [...missed, ...tooManyCopies(outage, figures)];
}

function missedByOne({ p99Ms, longestMs }: Outage, figures: GatewayFigures): string[] {
  return [
    ...(figures.lostCount > 0 ? [`${figures.lostCount} lost`] : []),
    ...(p99Ms !== null && !(figures.p99Ms <= p99Ms) ? [`p99 above ${p99Ms} ms`] : []),
    ...(longestMs !== null && !(figures.longestMs <= longestMs) ? [`longest above ${longestMs} ms`] : []),
  ];
}

function missedByFleet(figures: GatewayFigures, workerCount: number): string[] {
  const { lostCount, waitedCount, p99Ms, failedOnWayBackCount, wayBackMs } = figures;
  return [
    ...(lostCount > 0 ? [`${lostCount} lost`] : []),
    // One in each worker finds out, and the one whose finding comes while others wait for theirs.
    ...(waitedCount > 1 + workerCount ? [`${waitedCount} waited for the time-out`] : []),
    ...(p99Ms <= P99_MS ? [] : [`p99 above ${P99_MS} ms`]),
    ...(failedOnWayBackCount > 0 ? [`${failedOnWayBackCount} failed on the way back`] : []),
    ...(wayBackMs <= WAY_BACK_MS ? [] : [`not all of its mail within ${WAY_BACK_MS / 1000} s of its return`]),
  ];
}

function tooManyCopies({ name, p99Ms }: Outage, { copyCount, inFlightAtOpening }: GatewayFigures): string[] {
  if (p99Ms === null) return copyCount > inFlightAtOpening ? ["more copies than were in flight"] : [];
  return copyCount > 0 && name !== "hang in live connections" ? [`${copyCount} copies`] : [];
}
