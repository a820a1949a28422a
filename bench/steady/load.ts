import { setTimeout as sleep } from "node:timers/promises";
import type { MailQueue } from "../../src/queue/mail-queue.ts";

const BODY = "x".repeat(1_000);

/** Messages pushed at once where the rate does not matter. */
const BATCH_SIZE = 200;

export function benchMessage(number: number): { from: string; to: string; subject: string; text: string } {
  return { from: "bench@contoso.example", to: "ann@example.org", subject: `${number}`, text: BODY };
}

/** Pushes at a steady rate and returns when each message, by its subject, was pushed. Epoch milliseconds. */
export async function pushSteadily(queue: MailQueue, perSecond: number, seconds: number): Promise<Map<string, number>> {
  const pushedAt = new Map<string, number>();
  const pending: Promise<unknown>[] = [];
  const startedAt = Date.now();
  for (let number = 0; number < perSecond * seconds; number += 1) {
    const waitMs = startedAt + (number * 1000) / perSecond - Date.now();
    if (waitMs > 0) await sleep(waitMs);
    const message = benchMessage(number);
    pushedAt.set(message.subject, Date.now());
    pending.push(queue.push(message));
  }
  await Promise.all(pending);
  return pushedAt;
}

/** Pushes so many messages as fast as Redis takes them. */
export async function pushAll(queue: MailQueue, count: number): Promise<void> {
  for (let number = 0; number < count; number += BATCH_SIZE) {
    const batch = Array.from({ length: Math.min(BATCH_SIZE, count - number) }, (_, index) => number + index);
    await Promise.all(batch.map((each) => queue.push(benchMessage(each))));
  }
}

/** Pushes messages that are all due at one instant, epoch milliseconds, and returns their subjects. */
export async function pushTimed(queue: MailQueue, count: number, sendAt: number): Promise<Set<string>> {
  const subjects = new Set<string>();
  const pending = Array.from({ length: count }, (_, number) => {
    const message = { ...benchMessage(number), subject: `timed ${number}`, sendAt: new Date(sendAt).toISOString() };
    subjects.add(message.subject);
    return queue.push(message);
  });
  await Promise.all(pending);
  return subjects;
}
