import { createHash } from "node:crypto";
import type { Clock, GatewayEvent } from "../../core/index.ts";
import type { EventBus } from "../bus.ts";
import type { Delivery, EndpointSettings, MessageEvent, PostResult } from "./endpoint.ts";
import { bodyOf } from "./payload.ts";
import { post } from "./post.ts";

/** Where the deliveries of one endpoint wait, are tried and tried again. */
export interface Outbox {
  start(): Promise<void>;
  /** Ends when the store has it; waits for as long as the store is away. */
  put(delivery: Delivery): Promise<void>;
  /** Takes nothing more; what is under way is stopped after a short time and tried again later. */
  stop(): Promise<void>;
}

export type WebhookParts = {
  readonly endpoints: Readonly<Record<string, EndpointSettings>>;
  readonly events: EventBus;
  /** Opens the outbox of an endpoint; it calls `deliver` for each try. */
  readonly open: (
    endpoint: string,
    deliver: (delivery: Delivery, signal: AbortSignal) => Promise<PostResult>,
  ) => Outbox;
  /** Told of deliveries that no store took and that no endpoint will see: how many since it was told last, and why. */
  readonly onLost: (fields: { readonly lostCount: number; readonly reason: string }) => void;
  readonly clock: Clock;
};

export type Webhooks = {
  /** Deliveries lost since the start. */
  readonly lostCount: number;
  stop(): Promise<void>;
};

/** Deliveries that may be on their way to the store at once; while it is away, they are kept in memory. */
const PENDING_MAX = 10_000;

/** Losses come by the thousand: they are told this often at most. */
const TELL_LOSS_EVERY_MS = 10_000;

/** At a stop: time for deliveries on their way to the store. */
const FLUSH_MS = 2_000;

/** Tells endpoints, by signed requests, of what becomes of messages. Mail never waits for any of it. */
export async function startWebhooks(parts: WebhookParts): Promise<Webhooks> {
  const endpoints = Object.entries(parts.endpoints).map(([name, settings]) => ({
    settings,
    outbox: parts.open(name, (delivery, signal) => post(settings, delivery, { signal, clock: parts.clock })),
  }));
  await Promise.all(endpoints.map(({ outbox }) => outbox.start()));
  const feed = new Feed(parts);
  const unsubscribe = parts.events.subscribe((event) => {
    if (!isMessageEvent(event)) return;
    const wanting = endpoints.filter(({ settings }) => settings.events.includes(event.type));
    if (wanting.length === 0) return;
    const delivery = deliveryOf(event, parts.clock());
    for (const { outbox } of wanting) feed.put(outbox, delivery);
  });
  return {
    get lostCount() {
      return feed.lostCount;
    },
    stop: async () => {
      unsubscribe();
      await feed.stop();
      await Promise.all(endpoints.map(({ outbox }) => outbox.stop()));
    },
  };
}

function isMessageEvent(event: GatewayEvent): event is MessageEvent {
  return "record" in event;
}

function deliveryOf(event: MessageEvent, occurredAt: number): Delivery {
  return { eventId: eventIdOf(event), type: event.type, id: event.id, body: bodyOf(event, occurredAt) };
}

/** Hands deliveries to the store without waiting for it, and keeps count of those it could not take. */
class Feed {
  readonly #parts: Pick<WebhookParts, "onLost" | "clock">;
  readonly #pending = new Set<Promise<void>>();
  #stopped = false;
  #lostCount = 0;
  #toldCount = 0;
  #toldAt = -Infinity;

  constructor(parts: Pick<WebhookParts, "onLost" | "clock">) {
    this.#parts = parts;
  }

  get lostCount(): number {
    return this.#lostCount;
  }

  put(outbox: Outbox, delivery: Delivery): void {
    if (this.#pending.size >= PENDING_MAX) return this.#lose(1, "Redis has not taken the ones before it");
    const done = outbox
      .put(delivery)
      .catch((error: unknown) => this.#lose(1, error instanceof Error ? error.message : String(error)))
      .finally(() => this.#pending.delete(done));
    this.#pending.add(done);
  }

  async stop(): Promise<void> {
    let limit: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      limit = setTimeout(resolve, FLUSH_MS);
    });
    await Promise.race([Promise.all(this.#pending), late]);
    clearTimeout(limit);
    this.#toldAt = -Infinity;
    this.#lose(this.#pending.size, "the gateway stopped before Redis took them");
    this.#stopped = true;
  }

  #lose(count: number, reason: string): void {
    if (this.#stopped) return;
    this.#lostCount += count;
    const now = this.#parts.clock();
    if (this.#lostCount === this.#toldCount || now - this.#toldAt < TELL_LOSS_EVERY_MS) return;
    this.#parts.onLost({ lostCount: this.#lostCount - this.#toldCount, reason });
    this.#toldCount = this.#lostCount;
    this.#toldAt = now;
  }
}

/** The same for the same event: after a worker's death it may be told again, and its receiver must know it. */
function eventIdOf({ type, record }: MessageEvent): string {
  const { id, attemptCount, deferralCount, nextAttemptAt } = record;
  const seed = JSON.stringify([id, type, attemptCount, deferralCount, nextAttemptAt]);
  return `evt_${createHash("sha256").update(seed).digest("hex").slice(0, 32)}`;
}
