// The messages that are held: list them, let one go on, or drop it. Node 22.18 or later runs this file as it is:
//   REDIS_URL=redis://127.0.0.1:6379 node examples/held.ts                 lists them
//   REDIS_URL=redis://127.0.0.1:6379 node examples/held.ts release 42      the same provider gets it again: maybe a second copy
//   REDIS_URL=redis://127.0.0.1:6379 node examples/held.ts drop 42         it is not sent again
import { Queue } from "bullmq";

const queue = new Queue("mail", { connection: { url: process.env.REDIS_URL ?? "redis://127.0.0.1:6379" } });
const [action, jobId] = process.argv.slice(2);

const delayed = await queue.getDelayed();
const held = delayed.filter(({ progress }) => typeof progress === "object" && progress.status === "held");

if (action === undefined) {
  for (const { id, progress } of held) {
    process.stdout.write(`${id}  ${progress.messageId}  ${progress.reason}, until ${progress.nextAttemptAt}\n`);
  }
} else {
  const job = held.find(({ id }) => id === jobId);
  if (job === undefined) process.stdout.write(`job ${jobId} is not held\n`);
  else if (action === "release") await job.promote();
  else if (action === "drop") await job.remove();
  else process.stdout.write(`${action}: release or drop\n`);
}
await queue.close();
