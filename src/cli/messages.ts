import { hostname, userInfo } from "node:os";
import { createKeyring } from "../submission/index.ts";
import { MailQueue } from "../queue/mail-queue.ts";
import { closeRedis } from "../redis/connection.ts";
import type { Answer, MessagesParts } from "../operations/messages.ts";
import { MessageIndex } from "../operations/message-index.ts";
import { openLedger } from "../operations/open-ledger.ts";
import { loadOrExit } from "./settings.ts";
import { connectStore } from "./store.ts";

/** Opens what commands on messages work with, and closes it behind them. */
export async function withMessages(act: (parts: MessagesParts) => Promise<void>): Promise<void> {
  const { config } = loadOrExit();
  const redis = await connectStore(config, "mailover-messages", "commands");
  const queue = new MailQueue(config.queue, redis);
  const { addresses, addressKey, keepMs, idempotencyMs } = config.ledger;
  try {
    await act({
      queue,
      ledger: openLedger(redis, addresses === "hashed" ? (addressKey ?? null) : null),
      index: new MessageIndex(redis),
      queueName: config.queue.name,
      keyring: createKeyring(config.encryption),
      limits: config.message,
      keepMs,
      idempotencyMs,
      giveUpAfterMs: (messageClass) => config.classes[messageClass].giveUpAfterMs,
    });
  } finally {
    await queue.close();
    await closeRedis(redis);
  }
}

/** Who types, as the ledger names people. In a container the user may have a number only. */
export function operator(): string {
  let name: string;
  try {
    name = userInfo().username;
  } catch {
    name = `user ${process.getuid?.() ?? ""}`;
  }
  return `${name}@${hostname()}`;
}

/** Exit code 1 where it was not done. */
export function tell({ done, sentence }: Answer): void {
  (done ? process.stdout : process.stderr).write(`${sentence}\n`);
  if (!done) process.exitCode = 1;
}
