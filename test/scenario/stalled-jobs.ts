import { Worker } from "bullmq";
import type { ConnectionOptions } from "bullmq";
import type { Scene } from "./gateway.ts";

/** Takes the lock from a job under way, as time does when its worker cannot renew it. */
export async function giveUpLock(scene: Scene, jobId: string): Promise<void> {
  await scene.redis.del(`bull:mail:${jobId}:lock`);
}

/** Lets BullMQ look for jobs without a lock now, rather than within a minute: it takes two looks to find one. */
export async function lookForStalled(scene: Scene): Promise<void> {
  for (let looks = 0; looks < 2; looks += 1) {
    await scene.redis.del("bull:mail:stalled-check");
    const worker = new Worker("mail", async () => undefined, {
      connection: scene.redis as unknown as ConnectionOptions,
      autorun: false,
      // More than any test makes: this worker only looks.
      maxStalledCount: 1_000,
    });
    await worker.startStalledCheckTimer();
    while ((await scene.redis.exists("bull:mail:stalled-check")) === 0) await new Promise(setImmediate);
    await worker.close();
  }
}
