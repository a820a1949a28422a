import type { Outage } from "./faults.ts";
import type { GatewayFigures } from "./trial.ts";

/** Of a fleet: p99 of all messages but those that waited for the primary's time-out. */
const P99_MS = 500;

/** The limits that were missed, in words; none: all is well. */
export function missedLimits(outage: Outage, figures: GatewayFigures, workerCount: number): string[] {
  const missed = workerCount > 1 ? missedByFleet(outage, figures, workerCount) : missedByOne(outage, figures);
  return [...missed, ...tooManyCopies(outage, figures)];
}

function missedByOne({ p99Ms, longestMs }: Outage, figures: GatewayFigures): string[] {
  return [
    ...(figures.lostCount > 0 ? [`${figures.lostCount} lost`] : []),
    ...(p99Ms !== null && !(figures.p99Ms <= p99Ms) ? [`p99 above ${p99Ms} ms`] : []),
    ...(longestMs !== null && !(figures.longestMs <= longestMs) ? [`longest above ${longestMs} ms`] : []),
  ];
}

function missedByFleet(outage: Outage, figures: GatewayFigures, workerCount: number): string[] {
  const { lostCount, waitedCount, p99Ms, failedOnWayBackCount, wayBackMs } = figures;
  return [
    ...(lostCount > 0 ? [`${lostCount} lost`] : []),
    // One in each worker finds out, and the one whose finding comes while others wait for theirs.
    ...(waitedCount > 1 + workerCount ? [`${waitedCount} waited for the time-out`] : []),
    ...(p99Ms <= P99_MS ? [] : [`p99 above ${P99_MS} ms`]),
    ...(failedOnWayBackCount > 0 ? [`${failedOnWayBackCount} failed on the way back`] : []),
    ...(wayBackMs <= outage.wayBackMs ? [] : [`not all of its mail within ${outage.wayBackMs / 1000} s of its return`]),
  ];
}

function tooManyCopies({ name, p99Ms }: Outage, { copyCount, inFlightAtOpening }: GatewayFigures): string[] {
  if (p99Ms === null) return copyCount > inFlightAtOpening ? ["more copies than were in flight"] : [];
  return copyCount > 0 && name !== "hang in live connections" ? [`${copyCount} copies`] : [];
}
