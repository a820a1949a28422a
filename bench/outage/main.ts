import { formatMs, table } from "../statistics.ts";
import { OUTAGES } from "./faults.ts";
import type { Outage } from "./faults.ts";
import { missedLimits } from "./limits.ts";
import { BROKEN_MS } from "./measure.ts";
import type { Figures } from "./measure.ts";
import { runBaseline, runGateways } from "./trial.ts";
import type { GatewayFigures } from "./trial.ts";

/**
 * Failover under eight kinds of outage, with default settings, the built gateway as a process of its own, and times
 * counted from enqueue to accepted. `--workers N` takes a fleet of them, and follows the primary on its way back; `--rate N`
 * messages a second; `--baseline` runs a hand-written try and catch through the same outages beside it; `--only TEXT` picks
 * outages by name; `--keep` leaves the logs. Exit code 1 when a limit is missed.
 */
const only = argument("--only");
const withBaseline = process.argv.includes("--baseline");
const workerCount = Number(argument("--workers") ?? 1);
const ratePerSecond = Number(argument("--rate") ?? 20);
const keep = process.argv.includes("--keep") ? (folder: string) => write(`  logs: ${folder}`) : null;
const who = workerCount > 1 ? `${workerCount} workers` : "Mailover";

const rows: string[][] = [
  ["primary", "sent by", "sent", "lost", "copies", "waited", "p50", "p99", "longest", "back after", ""],
];
write(`${ratePerSecond} messages a second, ${workerCount} worker(s), the primary broken for ${BROKEN_MS / 1000} s`);
for (const outage of OUTAGES.filter(({ name }) => only === null || name.includes(only))) {
  write(`… ${outage.name}`);
  const figures = await runGateways(outage, { workerCount, ratePerSecond, keep });
  rows.push(gatewayRow(outage, figures));
  if (missedLimits(outage, figures, workerCount).length > 0) process.exitCode = 1;
  if (withBaseline) {
    const baseline = await runBaseline(outage, ratePerSecond);
    const times = `p99 ${(baseline.p99Ms / figures.p99Ms).toFixed(1)} times Mailover's`;
    rows.push(["", "try/catch", ...counts(baseline), "", ...timesOf(baseline), "", times]);
  }
}
write(`\n${table(rows)}`);

function gatewayRow(outage: Outage, figures: GatewayFigures): string[] {
  const missed = missedLimits(outage, figures, workerCount);
  const notes = [
    missed.length === 0 ? "ok" : `MISSED: ${missed.join(", ")}`,
    ...(outage.p99Ms === null ? [`${figures.inFlightAtOpening} in flight when the breaker opened`] : []),
  ];
  const back = workerCount > 1 ? formatMs(figures.wayBackMs) : "";
  return [outage.name, who, ...counts(figures), `${figures.waitedCount}`, ...timesOf(figures), back, notes.join(", ")];
}

function counts({ pushedCount, lostCount, copyCount }: Figures): string[] {
  return [`${pushedCount}`, `${lostCount}`, `${copyCount}`];
}

function timesOf({ p50Ms, p99Ms, longestMs }: Figures): string[] {
  return [formatMs(p50Ms), formatMs(p99Ms), formatMs(longestMs)];
}

function argument(name: string): string | null {
  const index = process.argv.indexOf(name);
  return index < 0 ? null : (process.argv[index + 1] ?? null);
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}
