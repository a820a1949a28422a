import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RedisRefusals, forgetRefusals, readRefusals } from "../../../../src/gate/fleet/redis-refusals.ts";
import type { SenderRefusal } from "../../../../src/gate/sender-memory.ts";
import { closeRedis } from "../../../../src/redis/connection.ts";
import type { RedisClient } from "../../../../src/redis/connection.ts";
import { until } from "../../../scenario/gateway.ts";
import { STORES, connect } from "../../redis/stores.ts";
import type { Store } from "../../redis/stores.ts";

const refusal = (sender: string, forMs = 60_000): SenderRefusal => ({
  sender,
  reason: "5.7.60, as a gateway was told",
  untilAt: Date.now() + forMs,
});

describe.each(STORES)("refused From addresses in %s", (_name, open) => {
  let store: Store;
  let redis: RedisClient;
  let subscriber: RedisClient;

  beforeAll(async () => {
    store = await open();
    redis = connect(store.settings);
    subscriber = connect(store.settings);
  });

  afterAll(async () => {
    await Promise.all([closeRedis(redis), closeRedis(subscriber)]);
    await store.close();
  });

  test("are told to those that listen, and to those that come later", async () => {
    const heard: (SenderRefusal | null)[] = [];
    const refusals = new RedisRefusals({ redis, subscriber, clock: Date.now });
    refusals.listen("a", (each) => heard.push(each));
    refusals.listen("b", () => heard.push(null));
    await refusals.start();
    refusals.tell("a", refusal("ann"));
    await until("it is heard", () => heard.length > 0);
    expect(heard[0]).toMatchObject({ sender: "ann", reason: "5.7.60, as a gateway was told" });
    expect(Math.abs((heard[0]?.untilAt ?? 0) - Date.now() - 60_000)).toBeLessThan(5_000);
    refusals.stop();

    const late: (SenderRefusal | null)[] = [];
    const later = new RedisRefusals({ redis, subscriber, clock: Date.now });
    later.listen("a", (each) => late.push(each));
    await later.start();
    expect(late).toMatchObject([{ sender: "ann", reason: "5.7.60, as a gateway was told" }]);

    expect(await forgetRefusals(redis, "a")).toBe(1);
    await until("it is forgotten", () => late.length > 1);
    expect(late.at(-1)).toBeNull();
    expect(await readRefusals(redis, "a", Date.now)).toEqual([]);
    later.stop();
  });

  test("end when their time is over, each by itself", async () => {
    const refusals = new RedisRefusals({ redis, subscriber, clock: Date.now });
    refusals.tell("c", refusal("short", 200));
    refusals.tell("c", refusal("long"));
    refusals.tell("c", refusal("past", -1));
    await until("two are known", async () => (await readRefusals(redis, "c", Date.now)).length === 2);
    await sleep(300);
    expect(await readRefusals(redis, "c", Date.now)).toMatchObject([{ sender: "long" }]);
  });
});

test("a Redis that is away holds nobody up", async () => {
  const settings = { url: "redis://127.0.0.1:1" };
  const [redis, subscriber] = [connect(settings), connect(settings)];
  const refusals = new RedisRefusals({ redis, subscriber, clock: Date.now });
  refusals.listen("a", () => undefined);
  const startedAt = Date.now();
  await refusals.start();
  refusals.tell("a", refusal("ann"));
  refusals.stop();
  expect(Date.now() - startedAt).toBeLessThan(3_000);
  await Promise.all([closeRedis(redis), closeRedis(subscriber)]);
});
