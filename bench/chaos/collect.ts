import type { Job, Queue } from "bullmq";
import type { AcceptedMessage } from "../../src/lab/index.ts";
import { RedisLedger } from "../../src/ledger/redis-ledger.ts";
import type { RedisClient } from "../../src/redis/connection.ts";
import type { Evidence } from "./audit.ts";

const STATES = ["completed", "failed", "delayed", "active", "waiting", "prioritized"] as const;
const SUBJECT = /^Subject: Message (\d+)\r?$/m;
const LEDGER_KEYS = /^mailover:ledger:\{([^}]+)\}$/;
const BATCH_SIZE = 200;

/** Gathers what the queue, the ledger and the servers say of each message that was pushed, and says what they have beside. */
export async function collect(
  pushedAt: ReadonlyMap<string, number>,
  accepted: readonly AcceptedMessage[],
  { queue, redis }: { readonly queue: Queue; readonly redis: RedisClient },
): Promise<{ readonly evidence: readonly Evidence[]; readonly strays: readonly AcceptedMessage[] }> {
  const jobs = new Map<string, { readonly job: Job; readonly state: string }>();
  for (const state of STATES) {
    for (const job of await queue.getJobs([state], 0, -1)) jobs.set(job.id ?? "", { job, state });
  }
  // By what the app wrote in it: its id is known only as long as the ledger knows it.
  const copies = new Map<string, AcceptedMessage[]>();
  for (const message of accepted) {
    const jobId = `chaos-${SUBJECT.exec(message.content.toString())?.[1] ?? ""}`;
    copies.set(jobId, [...(copies.get(jobId) ?? []), message]);
  }
  const ledger = new RedisLedger(redis, Date.now);
  const idOf = new Map<string, { readonly id: string; readonly status: string; readonly open: string }>();
  for (const id of await ledgerIds(redis)) {
    const [job, status, open] = await redis.hmget(`mailover:ledger:{${id}}`, "job", "status", "open");
    idOf.set(job ?? "", { id, status: status ?? "", open: open ?? "" });
  }
  const evidence: Evidence[] = [];
  const gather = async ([jobId, at]: [string, number]): Promise<void> => {
    const known = idOf.get(jobId);
    const found = jobs.get(jobId);
    evidence.push({
      jobId,
      pushedAt: at,
      job: found?.job ?? null,
      state: found?.state ?? "gone",
      id: known?.id ?? null,
      log: known === undefined ? [] : await ledger.log(known.id),
      status: known?.status ?? "",
      openAttempt: known?.open ?? "",
      accepted: copies.get(jobId) ?? [],
    });
  };
  const all = [...pushedAt];
  for (let first = 0; first < all.length; first += BATCH_SIZE) {
    await Promise.all(all.slice(first, first + BATCH_SIZE).map(gather));
  }
  const ids = new Set([...idOf.values()].map(({ id }) => id));
  return { evidence, strays: accepted.filter(({ mailoverId }) => mailoverId === null || !ids.has(mailoverId)) };
}

async function ledgerIds(redis: RedisClient): Promise<string[]> {
  return (await redis.keys("mailover:ledger:*")).flatMap((key) => LEDGER_KEYS.exec(key)?.[1] ?? []);
}
