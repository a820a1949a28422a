import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Queue } from "bullmq";
import type { ConnectionOptions } from "bullmq";
import type { Random } from "../../src/core/index.ts";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer, SmtpFault } from "../../src/lab/index.ts";
import { closeRedis, connectRedis } from "../../src/redis/connection.ts";
import type { RedisClient } from "../../src/redis/connection.ts";
import { examine } from "./audit.ts";
import type { Finding } from "./audit.ts";
import { Cable } from "./cable.ts";
import { collect } from "./collect.ts";
import { Fleet } from "./fleet.ts";
import { isForgotten } from "./gap.ts";
import type { Gap } from "./gap.ts";
import { makeMail } from "./mail.ts";
import type { Policy } from "./mail.ts";
import { seededRandom } from "./random.ts";
import { ChaosRedis } from "./redis-server.ts";
import type { Fsync } from "./redis-server.ts";

/** All that a scenario can do harm to. */
export type Scene = {
  readonly redis: ChaosRedis;
  /** Straight to Redis, not by the cable. Commands wait while it is away. */
  readonly client: RedisClient;
  readonly cable: Cable;
  readonly fleet: Fleet;
  readonly relays: readonly RelayServer[];
  readonly random: Random;
  readonly durationMs: number;
  /** To be told what Redis has forgotten. */
  readonly forget: (gap: Gap) => void;
};

export type Scenario = {
  readonly name: string;
  readonly fsync: Fsync;
  /** Whether Redis may lose what it acknowledged within the last second, as `everysec` allows. */
  readonly redisMayForget?: true;
  /** What the relays do wrong all the while; the usual share of failures, where not given. */
  readonly faults?: readonly SmtpFault[];
  /** Takes about `durationMs`, in which messages are pushed. All must work again when it resolves. */
  readonly harm: (scene: Scene) => Promise<void>;
};

export type RunOptions = {
  /** The built program. */
  readonly main: string;
  readonly seed: number;
  readonly policy: Policy;
  readonly gatewayCount: number;
  readonly durationMs: number;
  readonly ratePerSecond: number;
  /** Time for the last messages to come to their end once all works again. */
  readonly settleMs: number;
  /** Keeps the folder with the logs, and says where it is. */
  readonly keep?: (folder: string) => void;
};

export type Result = {
  readonly pushedCount: number;
  readonly killedCount: number;
  readonly endCounts: Readonly<Record<string, number>>;
  readonly lostCount: number;
  readonly copyCount: number;
  readonly unmarkedCopyCount: number;
  /** Copies without a mark that Redis is to blame for: it forgot that another was sent. */
  readonly forgottenCopyCount: number;
  /** Messages whose record says that a second copy may exist. */
  readonly markedCount: number;
  /** Messages that Redis had acknowledged and does not have any more; they are no loss of the gateway's. */
  readonly goneCount: number;
  /** Of these, those that some server has accepted all the same. */
  readonly goneAndRelayedCount: number;
  /** Messages whose record has its end although Redis forgot their job: a gateway had just taken it. */
  readonly withoutJobCount: number;
  /** How much of what Redis had acknowledged it forgot, each time, in milliseconds. */
  readonly forgottenMs: readonly number[];
  readonly longestMs: number;
  readonly problems: readonly string[];
};

/** Some failures of every kind, as on a bad day, beside the harm that is done. */
const USUAL_FAULTS: readonly SmtpFault[] = [
  { kind: "slow", delayMs: 3 },
  { kind: "reply", at: "rcpt", text: "451 4.3.0 Try again later", share: 0.03 },
  { kind: "drop", at: "dot", accepted: true, share: 0.01 },
  { kind: "drop", at: "dot", accepted: false, share: 0.01 },
];

/** Waits are shorter than by default, so that all is over in a minute; a job's lock is not: it has no setting. */
const TIMES = {
  delivery: { concurrency: 25, shutdownMs: 5_000 },
  breaker: { openMs: 500, openMaxMs: 2_000, uncertainOpenMs: 1_000 },
  retry: { delaysMs: [500, 1_000, 2_000], otpDelaysMs: [500, 1_000], jitterPercent: 20 },
  log: { level: "info", pretty: false },
};

/** Runs one scenario with processes, a Redis and relays of its own, and says what became of each message. */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "mailover-chaos-"));
  const closing: (() => Promise<unknown>)[] = [];
  try {
    const redis = await ChaosRedis.start(join(folder, "redis"), scenario.fsync);
    closing.push(() => redis.stop());
    const client = connectRedis(
      { url: redis.url },
      { use: "blocking", connectionName: "chaos", onError: () => undefined },
    );
    closing.push(() => closeRedis(client));
    const cable = await Cable.lay(redis.port);
    closing.push(() => cable.close());
    const relays = await Promise.all([1, 2, 3].map((number) => startRelay({ seed: options.seed + number })));
    closing.push(() => Promise.all(relays.map((relay) => relay.close())));
    for (const relay of relays) await relay.setFaults(scenario.faults ?? USUAL_FAULTS);

    const fleet = await Fleet.create({ main: options.main, folder, settings: settingsOf(cable, relays) });
    closing.push(() => fleet.close());
    await fleet.start(options.gatewayCount);

    const random = seededRandom(options.seed);
    const queue = new Queue("mail", { connection: client as unknown as ConnectionOptions });
    queue.on("error", () => undefined);
    closing.push(() => queue.close());
    const gaps: Gap[] = [];
    const forget = (gap: Gap): void => void gaps.push(gap);
    const scene = { redis, client, cable, fleet, relays, random, durationMs: options.durationMs, forget };
    const [pushedAt] = await Promise.all([push(queue, options), scenario.harm(scene)]);
    await settled(queue, options.settleMs);
    await fleet.stop();

    const accepted = relays.flatMap((relay) => relay.accepted);
    const { evidence, strays } = await collect(pushedAt, accepted, { queue, redis: client });
    const findings = evidence.map((each) => ({
      jobId: each.jobId,
      hasJob: each.job !== null,
      wasAccepted: each.accepted.length > 0,
      ...examine(each, gaps),
    }));
    const unknown = strays.filter(({ acceptedAt }) => !isForgotten(acceptedAt, gaps));
    return {
      ...summary(findings),
      goneAndRelayedCount: findings.filter(({ end, wasAccepted }) => end === "gone" && wasAccepted).length,
      withoutJobCount: findings.filter(({ end, hasJob }) => end !== "gone" && !hasJob).length,
      forgottenMs: gaps.map(({ fromAt, untilAt }) => untilAt - fromAt),
      killedCount: fleet.killedCount,
      problems: [
        ...problemsOf(findings),
        ...fleet.crashes,
        ...(unknown.length === 0 ? [] : [`${unknown.length} messages were accepted that no record knows`]),
      ],
    };
  } finally {
    for (const close of closing.toReversed()) await close();
    if (options.keep === undefined) await rm(folder, { recursive: true, force: true });
    else options.keep(folder);
  }
}

function settingsOf(cable: Cable, relays: readonly RelayServer[]): object {
  const priorities = [10, 10, 20];
  const providers = relays.map(({ port }, index) => [
    `relay-${index + 1}`,
    { kind: "smtp", host: "127.0.0.1", port, tls: "none", priority: priorities[index] },
  ]);
  return { ...TIMES, redis: { url: cable.url }, providers: Object.fromEntries(providers) };
}

/** Pushes by plain BullMQ, as any app does, at a steady rate. What Redis refuses is pushed again until it is taken. */
async function push(queue: Queue, options: RunOptions): Promise<ReadonlyMap<string, number>> {
  const random = seededRandom(options.seed + 1_000);
  const pushedAt = new Map<string, number>();
  const pushes: Promise<void>[] = [];
  const startedAt = Date.now();
  const count = Math.round((options.durationMs * options.ratePerSecond) / 1000);
  for (let number = 1; number <= count; number += 1) {
    const jobId = `chaos-${number}`;
    pushes.push(
      insist(queue, jobId, makeMail(number, options.policy, random)).then((at) => void pushedAt.set(jobId, at)),
    );
    const waitMs = startedAt + (number * 1000) / options.ratePerSecond - Date.now();
    if (waitMs > 1) await sleep(waitMs);
  }
  await Promise.all(pushes);
  return pushedAt;
}

async function insist(queue: Queue, jobId: string, data: object): Promise<number> {
  for (;;) {
    try {
      await queue.add("mail", data, { jobId });
      return Date.now();
    } catch {
      await sleep(250);
    }
  }
}

/** Waits until no job is under way or waits for anything but a person. */
async function settled(queue: Queue, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    await sleep(250);
    const { waiting = 0, prioritized = 0, active = 0 } = await queue.getJobCounts("waiting", "prioritized", "active");
    if (waiting + prioritized + active > 0) continue;
    const delayed = await queue.getJobs(["delayed"], 0, -1);
    if (delayed.every(({ progress }) => (progress as { status?: string }).status === "held")) return;
  }
}

type Summary = Omit<Result, "killedCount" | "problems" | "goneAndRelayedCount" | "withoutJobCount" | "forgottenMs">;

function summary(findings: readonly Finding[]): Summary {
  const sum = (count: (finding: Finding) => number): number =>
    findings.reduce((total, finding) => total + count(finding), 0);
  const endCounts: Record<string, number> = {};
  for (const { end } of findings) endCounts[end] = (endCounts[end] ?? 0) + 1;
  return {
    pushedCount: findings.length,
    endCounts,
    lostCount: sum(({ lostCount }) => lostCount),
    copyCount: sum(({ copyCount }) => copyCount),
    unmarkedCopyCount: sum(({ copyCount, forgottenCopyCount, possibleDuplicate }) =>
      possibleDuplicate ? 0 : copyCount - forgottenCopyCount,
    ),
    forgottenCopyCount: sum(({ forgottenCopyCount }) => forgottenCopyCount),
    markedCount: sum(({ possibleDuplicate }) => (possibleDuplicate ? 1 : 0)),
    goneCount: endCounts["gone"] ?? 0,
    longestMs: findings.reduce((longest, { tookMs }) => Math.max(longest, tookMs), 0),
  };
}

function problemsOf(findings: readonly (Finding & { readonly jobId: string })[]): string[] {
  return findings.flatMap(({ jobId, problems }) => problems.map((problem) => `${jobId}: ${problem}`));
}
