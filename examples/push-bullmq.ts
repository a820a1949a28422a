// Push a message with BullMQ alone: nothing of Mailover's is needed. npm install bullmq ioredis, then
//   REDIS_URL=redis://127.0.0.1:6379 node examples/push-bullmq.ts
import { Queue } from "bullmq";

const queue = new Queue("mail", { connection: { url: process.env.REDIS_URL ?? "redis://127.0.0.1:6379" } });

const job = await queue.add(
  "message",
  {
    from: "login@contoso.com",
    to: "taro@example.jp",
    subject: "123456 is your code",
    text: "Your code is 123456. It is good for five minutes.",
    class: "otp",
  },
  { priority: 10 },
);

process.stdout.write(`queued as job ${job.id}\n`);
await queue.close();
