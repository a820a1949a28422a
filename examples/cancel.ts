// Take a message back while it waits. Node 22.18 or later runs this file as it is:
//   REDIS_URL=redis://127.0.0.1:6379 node examples/cancel.ts 42
import { MailoverClient } from "mailover";

const mail = new MailoverClient({ redis: { url: process.env.REDIS_URL ?? "redis://127.0.0.1:6379" } });

const [jobId = ""] = process.argv.slice(2);
const answer = await mail.cancel(jobId, { by: "shop", reason: "the order was withdrawn" });
process.stdout.write(`${answer.sentence}\n`);
process.exitCode = answer.done ? 0 : 1;
await mail.close();
