import { parseDuration } from "../config/index.ts";
import { WebhookQueue } from "../queue/webhook-queue.ts";
import { closeRedis } from "../redis/connection.ts";
import { loadOrExit } from "./settings.ts";
import { connectStore } from "./store.ts";

/** Failed deliveries shown for each endpoint. */
const SHOWN = 20;

/** `mailover webhooks`: each endpoint, what waits for it, and the latest deliveries that were given up. */
export async function showWebhooks(): Promise<void> {
  await withQueues(undefined, async (queue, name, { url, events }) => {
    const { waiting, retrying, failed } = await queue.counts();
    const told = events.map((event) => event.replace("message.", "")).join(", ");
    process.stdout.write(
      `${name}  ${new URL(url).origin}  ${waiting} waiting, ${retrying} to be tried again, ${failed} failed  (${told})\n`,
    );
    for (const { type, id, attemptCount, failedAt, reason } of await queue.failed(SHOWN)) {
      process.stdout.write(
        `  ${new Date(failedAt).toISOString()}  ${type} of ${id}, given up after ${attemptCount} tries: ${reason}\n`,
      );
    }
    if (failed > SHOWN) process.stdout.write(`  and ${failed - SHOWN} earlier ones\n`);
  });
}

/** `mailover webhooks replay`: tries again, now, what was given up or waits to be tried again. */
export async function replayWebhooks(options: { readonly since?: string; readonly endpoint?: string }): Promise<void> {
  const sinceMs = options.since === undefined ? Infinity : parseDuration(options.since);
  if (sinceMs === null) throw new Error(`--since: "${options.since}" is no time; write a number and s, m, h or d: 1h`);
  await withQueues(options.endpoint, async (queue, name) => {
    const count = await queue.replay(Date.now() - sinceMs);
    process.stdout.write(`${name}  ${count} tried again\n`);
  });
}

type Endpoint = ReturnType<typeof loadOrExit>["config"]["webhooks"][string];

async function withQueues(
  only: string | undefined,
  act: (queue: WebhookQueue, name: string, endpoint: Endpoint) => Promise<void>,
): Promise<void> {
  const { config } = loadOrExit();
  const names = Object.keys(config.webhooks);
  if (only !== undefined && !names.includes(only)) {
    throw new Error(`no endpoint is called ${only}; there are: ${names.join(", ") || "none"}`);
  }
  if (names.length === 0) {
    process.stdout.write("no endpoints: the configuration has no webhooks\n");
    return;
  }
  const redis = await connectStore(config, "mailover-webhooks", "commands");
  try {
    for (const [name, endpoint] of Object.entries(config.webhooks)) {
      if (only !== undefined && name !== only) continue;
      const queue = new WebhookQueue(config.queue, name, redis);
      await act(queue, name, endpoint).finally(() => queue.close());
    }
  } finally {
    await closeRedis(redis);
  }
}
