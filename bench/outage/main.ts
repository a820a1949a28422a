import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { MailQueue } from "../../src/queue/mail-queue.ts";
import { closeRedis, connectRedis } from "../../src/redis/connection.ts";
import { startEmbeddedStore } from "../../src/redis/embedded.ts";
import { formatMs, table } from "../statistics.ts";
import { OUTAGES } from "./faults.ts";
import type { Outage } from "./faults.ts";
import { GatewayProcess } from "./gateway-process.ts";
import type { LogLine } from "./gateway-process.ts";
import { HandWritten } from "./hand-written.ts";
import { BROKEN_MS, RATE_PER_SECOND, measure } from "./measure.ts";
import type { Result } from "./measure.ts";

/**
 * Failover under eight kinds of outage, with default settings, the built gateway as a process of its own, and times
 * counted from enqueue to accepted. `--baseline` runs a hand-written try and catch through the same outages beside it;
 * `--only TEXT` picks outages by name. Exit code 1 when a limit is missed.
 */
const only = argument("--only");
const withBaseline = process.argv.includes("--baseline");

type Servers = { readonly primary: RelayServer; readonly fallback: RelayServer };
type GatewayResult = Result & { readonly inFlightAtOpening: number; readonly missed: readonly string[] };

async function withServers<T>(run: (servers: Servers) => Promise<T>): Promise<T> {
  const servers = { primary: await startRelay({ users: { bench: "bench" } }), fallback: await startRelay() };
  try {
    return await run(servers);
  } finally {
    await Promise.all([servers.primary.close(), servers.fallback.close()]);
  }
}

async function runGateway(outage: Outage): Promise<GatewayResult> {
  const folder = await mkdtemp(join(tmpdir(), "mailover-bench-"));
  const store = await startEmbeddedStore({ dataDir: join(folder, "store"), log: () => undefined });
  const redis = connectRedis(
    { url: store.url },
    { use: "blocking", connectionName: "bench", onError: () => undefined },
  );
  const queue = new MailQueue({ name: "mail", prefix: "bull" }, redis);
  try {
    return await withServers(async (servers) => {
      const ports = { primaryPort: servers.primary.port, fallbackPort: servers.fallback.port };
      const gateway = await GatewayProcess.start({ redisUrl: store.url, folder, ...ports });
      const jobOf = new Map<string, string>();
      const push = async (message: object): Promise<void> => {
        jobOf.set((message as { subject: string }).subject, await queue.push(message));
      };
      const wentOut = (subject: string): boolean => {
        const received = gateway.lines.find(
          ({ event, jobId }) => event === "message.received" && jobId === jobOf.get(subject),
        );
        return gateway.lines.some(
          ({ event, id, outcome }) => event === "attempt.ended" && outcome === "uncertain" && id === received?.["id"],
        );
      };
      const settled = async (): Promise<boolean> => {
        const { active = 0, delayed = 0, prioritized = 0, waiting = 0 } = await queue.counts();
        return active + delayed + prioritized + waiting === 0;
      };
      const result = await measure(outage, servers, push, wentOut, settled);
      await gateway.stop();
      const inFlightAtOpening = inFlight(gateway.lines);
      return { ...result, inFlightAtOpening, missed: missedLimits(outage, result, inFlightAtOpening) };
    });
  } finally {
    await queue.close();
    await closeRedis(redis);
    await store.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function runBaseline(outage: Outage): Promise<Result> {
  return withServers(async (servers) => {
    const app = new HandWritten({ primaryPort: servers.primary.port, fallbackPort: servers.fallback.port });
    const result = await measure(
      outage,
      servers,
      (message) => app.push(message),
      () => false,
      // What it still has under way nobody knows: its servers' side is all there is.
      async () => true,
    );
    app.close();
    return result;
  });
}

/** Attempts at the primary that were under way when its breaker first opened, or ended in that very opening. */
function inFlight(lines: readonly LogLine[]): number {
  const opening = lines.findIndex(
    ({ event, provider, to }) => event === "breaker.changed" && provider === "primary" && to === "open",
  );
  const open = new Set<string>();
  for (const { event, provider, id, attempt } of lines.slice(0, opening)) {
    if (provider !== "primary") continue;
    if (event === "attempt.started") open.add(`${String(id)} ${String(attempt)}`);
    if (event === "attempt.ended") open.delete(`${String(id)} ${String(attempt)}`);
  }
  // Those whose failures opened it had ended by then.
  const uncertainBefore = lines
    .slice(0, opening)
    .filter(({ event, outcome }) => event === "attempt.ended" && outcome === "uncertain");
  return open.size + uncertainBefore.length;
}

function missedLimits(outage: Outage, result: Result, inFlightAtOpening: number): string[] {
  return [
    ...(result.lost > 0 ? [`${result.lost} lost`] : []),
    ...(outage.p99Ms !== null && !(result.p99Ms <= outage.p99Ms) ? [`p99 above ${outage.p99Ms} ms`] : []),
    ...(outage.longestMs !== null && !(result.longestMs <= outage.longestMs)
      ? [`longest above ${outage.longestMs} ms`]
      : []),
    ...(outage.p99Ms === null && result.copies > inFlightAtOpening ? ["more copies than were in flight"] : []),
    ...(outage.p99Ms !== null && outage.name !== "hang in live connections" && result.copies > 0
      ? [`${result.copies} copies`]
      : []),
  ];
}

function row(name: string, who: string, result: Result, more: string): string[] {
  const { pushed, lost, copies, p50Ms, p99Ms, longestMs } = result;
  return [name, who, `${pushed}`, `${lost}`, `${copies}`, formatMs(p50Ms), formatMs(p99Ms), formatMs(longestMs), more];
}

const rows: string[][] = [["primary", "sent by", "sent", "lost", "copies", "p50", "p99", "longest", ""]];
process.stdout.write(`${RATE_PER_SECOND} messages a second, the primary broken for ${BROKEN_MS / 1000} s\n`);
for (const outage of OUTAGES.filter(({ name }) => only === null || name.includes(only))) {
  process.stdout.write(`… ${outage.name}\n`);
  const result = await runGateway(outage);
  const verdict = result.missed.length === 0 ? "ok" : `MISSED: ${result.missed.join(", ")}`;
  const inFlightNote = outage.p99Ms === null ? `, ${result.inFlightAtOpening} in flight when the breaker opened` : "";
  rows.push(row(outage.name, "Mailover", result, `${verdict}${inFlightNote}`));
  if (result.missed.length > 0) process.exitCode = 1;
  if (withBaseline) {
    const baseline = await runBaseline(outage);
    rows.push(row("", "try/catch", baseline, `p99 ${(baseline.p99Ms / result.p99Ms).toFixed(1)} times Mailover's`));
  }
}
process.stdout.write(`\n${table(rows)}\n`);

function argument(name: string): string | null {
  const index = process.argv.indexOf(name);
  return index < 0 ? null : (process.argv[index + 1] ?? null);
}
