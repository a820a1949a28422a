import { describe, expect, test } from "vitest";
import { EventBus } from "../../../src/events/bus.ts";
import type { Delivery, EndpointSettings } from "../../../src/events/webhooks/endpoint.ts";
import { startWebhooks } from "../../../src/events/webhooks/start.ts";
import { endpoint, event } from "./samples.ts";

type Put = (delivery: Delivery) => Promise<void>;

/** Webhooks with outboxes in memory. */
async function open(endpoints: Record<string, EndpointSettings>, put: Put = async () => undefined) {
  const defects: unknown[] = [];
  const bus = new EventBus((error) => defects.push(error));
  const sent: [endpoint: string, delivery: Delivery][] = [];
  const losses: { lostCount: number; reason: string }[] = [];
  const time = { now: 1_000_000 };
  const webhooks = await startWebhooks({
    endpoints,
    events: bus,
    open: (name) => ({
      start: async () => undefined,
      put: (delivery) => {
        sent.push([name, delivery]);
        return put(delivery);
      },
      stop: async () => undefined,
    }),
    onLost: (loss) => losses.push(loss),
    clock: () => time.now,
  });
  return { bus, sent, losses, time, webhooks, defects };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const url = "https://hooks.example.org/mail";

describe("an endpoint is told", () => {
  test("of its own events only, each under one id for all endpoints", async () => {
    const { bus, sent } = await open({
      all: endpoint(url, { events: ["message.relayed", "message.deferred", "message.bounced"] }),
      bounces: endpoint(url, { events: ["message.bounced"] }),
    });
    bus.emit(event("message.relayed"));
    bus.emit(event("message.bounced"));
    bus.emit(event("message.expired"));
    bus.emit({ type: "attempt.started", id: "m-1", attempt: 1, provider: "relay" });
    expect(sent.map(([name, { type }]) => [name, type])).toEqual([
      ["all", "message.relayed"],
      ["all", "message.bounced"],
      ["bounces", "message.bounced"],
    ]);
    const ids = sent.map(([, { eventId }]) => eventId);
    expect(new Set(ids).size).toBe(2);
    expect(ids[1]).toBe(ids[2]);
    expect(ids[0]).toMatch(/^evt_[\w-]+$/);
  });

  test("nothing any more after the stop", async () => {
    const { bus, sent, webhooks } = await open({ all: endpoint(url) });
    await webhooks.stop();
    bus.emit(event());
    expect(sent).toEqual([]);
  });
});

describe("what the store does not take", () => {
  test("is counted, and told at most every ten seconds", async () => {
    const refusing: Put = () => Promise.reject(new Error("OOM command not allowed"));
    const { bus, losses, time, webhooks, defects } = await open({ all: endpoint(url) }, refusing);
    for (let count = 0; count < 5; count += 1) bus.emit(event());
    await settle();
    expect(losses).toEqual([{ lostCount: 1, reason: "OOM command not allowed" }]);
    time.now += 10_000;
    bus.emit(event());
    await settle();
    expect(losses.at(-1)).toMatchObject({ lostCount: 5 });
    bus.emit(event());
    await settle();
    await webhooks.stop();
    expect(losses.map(({ lostCount }) => lostCount)).toEqual([1, 5, 1]);
    expect(webhooks.lostCount).toBe(7);
    expect(defects).toEqual([]);
  });

  test("waits in memory, up to a limit", async () => {
    const never: Put = () => new Promise(() => undefined);
    const { bus, sent, losses, webhooks } = await open({ all: endpoint(url) }, never);
    for (let count = 0; count < 10_003; count += 1) bus.emit(event());
    expect(sent).toHaveLength(10_000);
    expect(webhooks.lostCount).toBe(3);
    expect(losses[0]?.reason).toContain("has not taken");
    await webhooks.stop();
    expect(webhooks.lostCount).toBe(10_003);
    expect(losses.at(-1)).toEqual({ lostCount: 10_002, reason: expect.stringContaining("stopped") });
  });
});
