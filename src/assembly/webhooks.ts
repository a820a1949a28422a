import type { Config } from "../config/index.ts";
import type { EventBus } from "../events/bus.ts";
import { startWebhooks } from "../events/webhooks/start.ts";
import type { Webhooks } from "../events/webhooks/start.ts";
import { WebhookOutbox } from "../queue/webhook-outbox.ts";
import type { RedisClient } from "../redis/connection.ts";
import type { Log } from "../telemetry/log.ts";

export async function openWebhooks(
  config: Config,
  { events, redis, name, log }: { events: EventBus; redis: RedisClient; name: string; log: Log },
): Promise<Webhooks> {
  const onError = (error: Error): void => log.troubled("webhooks", error);
  const parts = { connection: redis, name, onFailed: log.webhookFailed, onError };
  return startWebhooks({
    endpoints: config.webhooks,
    events,
    open: (endpoint, deliver) => new WebhookOutbox(config.queue, endpoint, { ...parts, deliver }),
    onLost: log.webhooksLost,
    clock: Date.now,
  });
}
