import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRelay } from "../../src/lab/index.ts";
import { MailQueue } from "../../src/queue/mail-queue.ts";
import { closeRedis, connectRedis } from "../../src/redis/connection.ts";
import { startEmbeddedStore } from "../../src/redis/embedded.ts";
import type { Outage } from "./faults.ts";
import { GatewayProcess } from "./gateway-process.ts";
import type { LogLine } from "./gateway-process.ts";
import { HandWritten } from "./hand-written.ts";
import { figuresOf, runCourse, wayBackMs } from "./measure.ts";
import type { Figures, Servers } from "./measure.ts";
import { attemptsAtPrimary, inFlightAtOpening, messageIdsByJob } from "./read-logs.ts";

export type TrialOptions = {
  readonly workerCount: number;
  readonly ratePerSecond: number;
  /** Told of the folder with the logs, which stays; null: none is kept. */
  readonly keep: ((folder: string) => void) | null;
};

export type GatewayFigures = Figures & {
  readonly inFlightAtOpening: number;
  /** Messages that waited for the primary's time-out: an attempt there lasted as long as `WAITED_MS`, whatever came of it. */
  readonly waitedCount: number;
  /** Attempts at the primary that began after its return, and failed. */
  readonly failedOnWayBackCount: number;
  /** From the primary's return until it had all of its mail again. Of several workers only; NaN: never. */
  readonly wayBackMs: number;
};

/** Half of `delivery.slowAfterMs`: no good attempt takes as long, and whoever waits for a time-out waits longer. */
const WAITED_MS = 1_000;

async function withServers<T>(run: (servers: Servers) => Promise<T>): Promise<T> {
  const servers = { primary: await startRelay({ users: { bench: "bench" } }), fallback: await startRelay() };
  try {
    return await run(servers);
  } finally {
    await Promise.all([servers.primary.close(), servers.fallback.close()]);
  }
}

/** One outage, as one gateway or a fleet of them carries the mail through it. */
export async function runGateways(outage: Outage, options: TrialOptions): Promise<GatewayFigures> {
  const { workerCount, ratePerSecond } = options;
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
      const gateways = await GatewayProcess.startFleet(workerCount, { redisUrl: store.url, folder, ...ports });
      const jobOf = new Map<string, string>();
      const push = async (message: object): Promise<void> => {
        jobOf.set((message as { subject: string }).subject, await queue.push(message));
      };
      const settled = async (): Promise<boolean> => {
        const { active = 0, delayed = 0, prioritized = 0, waiting = 0 } = await queue.counts();
        return active + delayed + prioritized + waiting === 0;
      };
      const course = await runCourse(outage, servers, { ratePerSecond, push, settled, followsBack: workerCount > 1 });
      await Promise.all(gateways.map((gateway) => gateway.stop()));

      const logs = gateways.map(({ lines }) => lines);
      if (options.keep !== null) options.keep(await keepLogs(logs));
      const attempts = attemptsAtPrimary(logs);
      const waited = attempts.filter(
        ({ startedAt, durationMs }) => durationMs >= WAITED_MS && startedAt + durationMs > course.brokenAt,
      );
      const uncertain = attempts.filter(({ outcome }) => outcome === "uncertain");
      // Those that one worker of a fleet waits with are counted; its limit on times is for all others.
      const leftOut = new Set((workerCount > 1 ? [...uncertain, ...waited] : uncertain).map(({ id }) => id));
      const messageIds = messageIdsByJob(logs);
      const isLeftOut = (subject: string): boolean => leftOut.has(messageIds.get(jobOf.get(subject) ?? "") ?? "");
      const failedLater = attempts.filter(
        ({ outcome, startedAt }) => outcome !== "relayed" && startedAt > course.returnedAt,
      );
      return {
        ...figuresOf(course, isLeftOut),
        inFlightAtOpening: inFlightAtOpening(logs),
        waitedCount: new Set(waited.map(({ id }) => id)).size,
        failedOnWayBackCount: failedLater.length,
        wayBackMs: workerCount > 1 ? wayBackMs(course) : Number.NaN,
      };
    });
  } finally {
    await queue.close();
    await closeRedis(redis);
    await store.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The same outage, as the hand-written app carries its mail through it. */
export async function runBaseline(outage: Outage, ratePerSecond: number): Promise<Figures> {
  return withServers(async (servers) => {
    const app = new HandWritten({ primaryPort: servers.primary.port, fallbackPort: servers.fallback.port });
    const course = await runCourse(outage, servers, {
      ratePerSecond,
      push: (message) => app.push(message),
      // What it still has under way nobody knows: its servers' side is all there is.
      settled: async () => true,
      followsBack: false,
    });
    app.close();
    return figuresOf(course, () => false);
  });
}

async function keepLogs(logs: readonly (readonly LogLine[])[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "mailover-outage-"));
  for (const [index, lines] of logs.entries()) {
    const text = lines.map((line) => JSON.stringify(line)).join("\n");
    await writeFile(join(folder, `gateway-${index + 1}.log`), `${text}\n`);
  }
  return folder;
}
