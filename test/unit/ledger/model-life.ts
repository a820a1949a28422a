import type { DeliveryRecord } from "../../../src/core/index.ts";
import { ModelWorker } from "./model-worker.ts";
import type { Run } from "./model-worker.ts";
import { RECIPIENTS } from "./model-world.ts";
import type { World } from "./model-world.ts";

const STALLED_AFTER_MS = 30_000;

/** Worker runs that no path needs, however much goes wrong. */
const RUNS_AT_MOST = 12;

/**
 * Lives the whole life of the world's message, job and workers, and judges it; or as far as a state that another life
 * came through with the same left to go wrong: that one has shown what follows.
 */
export async function live(world: World, seen: Set<string>): Promise<void> {
  const end = await untilOver(world, seen);
  for (const worker of world.asleep) await worker.wake(world.choices.choose([false, true]));
  await Promise.all(world.workers.map((worker) => worker.bury()));
  if (end === "for ever") world.problems.push(`not over after ${RUNS_AT_MOST} runs`);
  else if (end !== "seen") judge(world, await world.record(), end);
}

type End = "completed" | "failed" | "held";

async function untilOver(world: World, seen: Set<string>): Promise<End | "seen" | "for ever"> {
  for (let runs = 0; runs < RUNS_AT_MOST; runs += 1) {
    if (world.choices.isNew && world.asleep.length === 0) {
      const state = await world.state();
      if (seen.has(state)) return "seen";
      seen.add(state);
    }
    const worker = new ModelWorker(world);
    const run = await worker.outcome();
    const end = await nextOf(world, worker, run);
    if (end !== null) return end;
  }
  return "for ever";
}

/** What becomes of the job, as BullMQ has it; null: it comes again. */
async function nextOf(world: World, worker: ModelWorker, run: Run): Promise<End | null> {
  // One that was woken by a later one has ended with the job no longer its own.
  if (world.owner !== worker) return null;
  switch (run.kind) {
    case "completed":
      return "completed";
    case "failed":
      if (!world.mayOperate || world.choices.choose([false, true]) === false) return "failed";
      world.note("an operator has it retried");
      world.operated = "retried";
      return null;
    case "later":
      if (world.status === "held") return heldUntil(world, run.at);
      world.now = Math.max(world.now, run.at);
      return null;
    case "dead":
    case "asleep":
    case "lost":
      world.now += STALLED_AFTER_MS;
      world.stalledCount += 1;
      return null;
  }
}

/** What may come of a held message. */
function heldUntil(world: World, giveUpAt: number): "held" | null {
  const idle = ["it stays held", "its time is over"] as const;
  const next = world.choices.choose(world.mayOperate ? [...idle, "an operator lets it go on"] : idle);
  world.note(next);
  if (next === "it stays held") return "held";
  if (next === "an operator lets it go on") {
    world.operated = "released";
    return null;
  }
  world.expired = true;
  world.now = Math.max(world.now, giveUpAt);
  return null;
}

function judge(world: World, record: DeliveryRecord, end: End): void {
  const wanted = end === "completed" ? ["relayed"] : end === "held" ? ["held"] : ["bounced", "expired"];
  if (!wanted.includes(record.status)) world.problems.push(`the job is ${end}, its record ${record.status}`);
  for (const recipient of RECIPIENTS) judgeRecipient(world, record, end, recipient);
}

function judgeRecipient(world: World, record: DeliveryRecord, end: End, address: string): void {
  const copies = world.copies.filter(({ recipient }) => recipient === address);
  const { status, provider } = record.recipients.find((recipient) => recipient.address === address) ?? {};
  const problem = (what: string): void => void world.problems.push(`${address}: ${what}`);
  if (status === undefined || (status === "pending" && end !== "held")) problem("lost: nobody will send it");
  if (status === "relayed" && !copies.some((copy) => copy.provider === provider)) problem("lost: nobody has it");
  if (status === "refused" && !world.refused.has(address) && !world.expired) {
    problem("refused, although nobody refused it");
  }
  if (copies.length <= 1) return;
  if (!record.possibleDuplicate) problem(`${copies.length} copies, the record says one`);
  if (world.policy === "hold" && world.operated === null) problem(`${copies.length} copies in spite of hold`);
}
