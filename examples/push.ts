// Push a message with Mailover's own client, and follow it to its end. Node 22.18 or later runs this file as it is:
//   REDIS_URL=redis://127.0.0.1:6379 node examples/push.ts
import { MailoverClient } from "mailover";

const mail = new MailoverClient({ redis: { url: process.env.REDIS_URL ?? "redis://127.0.0.1:6379" } });

const jobId = await mail.send({
  from: "Contoso <noreply@contoso.com>",
  to: ["Taro Yamada <taro@example.jp>"],
  subject: "Your order 17",
  text: "Thank you for your order.",
  class: "transactional",
  metadata: { orderId: 17 },
});

const ending = await mail.follow(jobId);
const { provider, messageId } = ending.record ?? {};
process.stdout.write(ending.kind === "relayed" ? `${provider} took ${messageId}\n` : `${ending.reason}\n`);
await mail.close();
