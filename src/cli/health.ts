import { hostname } from "node:os";
import { MailQueue } from "../queue/mail-queue.ts";
import { closeRedis } from "../redis/connection.ts";
import { loadOrExit } from "./settings.ts";
import { connectStore } from "./store.ts";

const TIME_LIMIT_MS = 4_000;

/** `mailover health`: whether Redis answers and a worker of this host is connected to it. Exit code 1 when not. */
export async function health(): Promise<void> {
  const { config } = loadOrExit();
  const timer = setTimeout(() => end(`Redis does not answer within ${TIME_LIMIT_MS} ms`, 1), TIME_LIMIT_MS);
  const redis = await connectStore(config, "mailover-health", "commands");
  const queue = new MailQueue(config.queue, redis);
  const workers = await queue.workerNames();
  const mine = workers.filter((name) => name.startsWith(`${hostname()}:`));
  await queue.close();
  await closeRedis(redis);
  clearTimeout(timer);
  // Managed services may forbid CLIENT LIST: then nothing is known of workers, and Redis has answered.
  if (workers.length > 0 && mine.length === 0) end("no worker of this host is connected to Redis", 1);
  end(`ok: Redis answers, ${mine.length} worker(s) of this host are connected`, 0);
}

function end(sentence: string, code: number): never {
  process.stdout.write(`${sentence}\n`);
  process.exit(code);
}
