import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { AttemptRecord, DeliveryRecord } from "../../../src/core/index.ts";
import { changeBetween, fold } from "../../../src/ledger/fold.ts";
import type { Introduction, TakenMessage } from "../../../src/ledger/ledger.ts";
import { RedisLedger } from "../../../src/ledger/redis-ledger.ts";
import { closeRedis } from "../../../src/redis/connection.ts";
import type { RedisClient } from "../../../src/redis/connection.ts";
import { ALL_STORES, connect } from "../redis/stores.ts";
import type { Store } from "../redis/stores.ts";

describe.each(ALL_STORES)("in %s", (name, open) => {
  let store: Store;
  let redis: RedisClient;
  let ledger: RedisLedger;
  let count = 0;
  let step = 0;
  let message: Introduction;

  beforeAll(async () => {
    store = await open();
    redis = connect(store.settings);
    ledger = new RedisLedger(redis, Date.now);
  });

  afterAll(async () => {
    await closeRedis(redis);
    await store.close();
  });

  beforeEach(() => {
    count += 1;
    message = {
      id: `m${count}`,
      messageId: `<m${count}@contoso.com>`,
      class: "transactional",
      recipients: ["ann@example.org", "bob@example.org"],
      metadata: { order: count },
      jobId: String(count),
      digest: "0123456789abcdef",
      stalledCount: 0,
      keepMs: 60_000,
    };
  });

  async function take(introduction: Introduction, by: string): Promise<TakenMessage> {
    const taken = await ledger.take(introduction, by);
    if (taken.kind !== "taken") throw new Error(`it is job ${taken.jobId}'s`);
    return taken;
  }

  const PRIMARY = { number: 1, provider: "primary" };

  /** Steps of all holds count up together here, which is as good. */
  function next(): number {
    step += 1;
    return step;
  }

  function attemptOf(number: number, more: Partial<AttemptRecord> = {}): AttemptRecord {
    return {
      number,
      provider: "primary",
      startedAt: "2026-11-24T00:00:00.000Z",
      endedAt: "2026-11-24T00:00:01.000Z",
      outcome: "relayed",
      stage: null,
      cause: null,
      status: null,
      reply: "250 2.0.0 Ok: queued as 1A2B",
      remoteId: "1A2B",
      remedy: null,
      ...more,
    };
  }

  const relayedBy = (record: DeliveryRecord, provider: string): DeliveryRecord => ({
    ...record,
    status: "relayed",
    provider,
    remoteId: "1A2B",
    recipients: record.recipients.map((recipient) => ({ ...recipient, status: "relayed", provider })),
  });

  describe("the path of a message that goes well", () => {
    test("is four writes, and reads back as the record", async () => {
      const { hold, isNew, record, openAttempt } = await take(message, "worker-1");
      expect({ isNew, openAttempt }).toEqual({ isNew: true, openAttempt: null });
      expect(record).toMatchObject({ status: "relaying", id: message.id, metadata: { order: count } });
      expect(await ledger.start(hold, next(), { number: 1, provider: "primary" })).toBe(true);
      expect(await ledger.mark(hold, next(), PRIMARY)).toBe(true);
      const after = relayedBy(record, "primary");
      const move = { type: "message.relayed", change: changeBetween(record, after) } as const;
      expect(await ledger.end(hold, next(), attemptOf(1), {}, move)).toBe(true);

      const events = await ledger.log(message.id);
      expect(events.map(({ type }) => type)).toEqual([
        "message.received",
        "attempt.started",
        "attempt.ended",
        "message.relayed",
      ]);
      expect(fold(message.id, events, message.metadata)).toEqual({
        ...after,
        attempts: [attemptOf(1)],
        attemptCount: 1,
      });
    });

    test("is kept for its time after the end, and for good before it", async () => {
      const { hold } = await take(message, "worker-1");
      const keys = [`mailover:ledger:{${message.id}}`, `mailover:ledger:{${message.id}}:log`];
      expect(await Promise.all(keys.map((key) => redis.pttl(key)))).toEqual([-1, -1]);
      await ledger.move(hold, next(), { type: "message.relayed", change: { status: "relayed" } });
      for (const key of keys) expect(await redis.pttl(key)).toBeGreaterThan(50_000);
      // Whoever has it retried has it kept until its next end.
      await ledger.move(hold, next(), { type: "message.retried", change: { status: "relaying" } });
      expect(await Promise.all(keys.map((key) => redis.pttl(key)))).toEqual([-1, -1]);
      await ledger.start(hold, next(), { number: 1, provider: "relay" });
      expect(await Promise.all(keys.map((key) => redis.pttl(key)))).toEqual([-1, -1]);
    });

    // 32-bit WebAssembly and a cluster's own bookkeeping count differently.
    test.skipIf(name !== "redis-server")("costs no more than 1.5 KB in Redis", async () => {
      const { hold, record } = await take(message, "host-0123456789ab:12345");
      await ledger.start(hold, next(), { number: 1, provider: "microsoft365" });
      await ledger.mark(hold, next(), PRIMARY);
      const reply = `250 2.0.0 OK ${message.messageId} [Hostname=TYCPR01MB5678.jpnprd01.prod.outlook.com]`;
      const change = changeBetween(record, relayedBy(record, "microsoft365"));
      const move = { type: "message.relayed", change } as const;
      await ledger.end(hold, next(), attemptOf(1, { provider: "microsoft365", reply }), {}, move);
      const keys = [`mailover:ledger:{${message.id}}`, `mailover:ledger:{${message.id}}:log`];
      const sizes = await Promise.all(keys.map((key) => redis.call("MEMORY", "USAGE", key) as Promise<number>));
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(1_536);
    });
  });

  describe("a message that another worker takes", () => {
    test("is out of reach of the first one, which writes nothing any more", async () => {
      const first = await take(message, "worker-1");
      await ledger.start(first.hold, next(), { number: 1, provider: "primary" });
      const second = await take(message, "worker-2");
      expect(second.hold.fence).toBeGreaterThan(first.hold.fence);
      const before = await ledger.log(message.id);
      expect(await ledger.start(first.hold, next(), { number: 2, provider: "primary" })).toBe(false);
      expect(await ledger.mark(first.hold, next(), PRIMARY)).toBe(false);
      expect(await ledger.end(first.hold, next(), attemptOf(1), {})).toBe(false);
      expect(await ledger.move(first.hold, next(), { type: "message.relayed", change: { status: "relayed" } })).toBe(
        false,
      );
      expect(await ledger.log(message.id)).toEqual(before);
      expect(await ledger.mark(second.hold, next(), PRIMARY)).toBe(true);
    });

    test("comes with the attempt that was left open, and whether its content may be out", async () => {
      const first = await take(message, "worker-1");
      await ledger.start(first.hold, next(), { number: 1, provider: "primary" });
      const second = await take(message, "worker-2");
      const startedAt = (await ledger.log(message.id)).at(-1)?.at;
      expect(second.openAttempt).toEqual({ number: 1, provider: "primary", contentMayBeOut: false, startedAt });
      expect(second.isNew).toBe(false);
      await ledger.mark(second.hold, next(), PRIMARY);
      expect((await take(message, "worker-3")).openAttempt?.contentMayBeOut).toBe(true);
    });

    test("comes without one where the attempt had ended", async () => {
      const { hold } = await take(message, "worker-1");
      await ledger.start(hold, next(), { number: 1, provider: "primary" });
      await ledger.mark(hold, next(), PRIMARY);
      await ledger.end(hold, next(), attemptOf(1, { outcome: "deferred" }), { reason: "busy" });
      const taken = await take(message, "worker-2");
      expect(taken.openAttempt).toBeNull();
      expect(taken.record).toMatchObject({ attemptCount: 1, reason: "busy" });
    });
  });

  describe("a write that is sent again, since its answer was lost", () => {
    test("is written once", async () => {
      const { hold } = await take(message, "worker-1");
      const attempt = { number: 1, provider: "primary" };
      expect(await ledger.start(hold, 1, attempt)).toBe(true);
      expect(await ledger.start(hold, 1, attempt)).toBe(true);
      expect(await ledger.end(hold, 2, attemptOf(1), {})).toBe(true);
      expect(await ledger.end(hold, 2, attemptOf(1), {})).toBe(true);
      expect((await ledger.log(message.id)).map(({ type }) => type)).toEqual([
        "message.received",
        "attempt.started",
        "attempt.ended",
      ]);
    });
  });

  test("a message that is over and comes again is retried by hand, unless its worker died with it", async () => {
    const { hold } = await take(message, "worker-1");
    await ledger.move(hold, next(), { type: "message.bounced", change: { status: "bounced" } });
    expect((await take({ ...message, stalledCount: 1 }, "worker-2")).isRetried).toBe(false);
    expect((await take({ ...message, stalledCount: 1 }, "worker-2")).isRetried).toBe(true);
  });

  describe("the same message in another job", () => {
    test("is left to the job that has it, before and after its end", async () => {
      const { hold } = await take(message, "worker-1");
      const again = { ...message, jobId: "another" };
      const duplicate = { kind: "duplicate", jobId: message.jobId, sameContent: true };
      expect(await ledger.take(again, "worker-2")).toEqual(duplicate);
      expect(await ledger.move(hold, next(), { type: "message.relayed", change: { status: "relayed" } })).toBe(true);
      expect(await ledger.take(again, "worker-2")).toEqual(duplicate);
    });

    test("is told from another content under the same key", async () => {
      await take(message, "worker-1");
      const other = { ...message, jobId: "another", digest: "fedcba9876543210" };
      expect(await ledger.take(other, "worker-2")).toMatchObject({ kind: "duplicate", sameContent: false });
    });
  });

  describe("cancelling", () => {
    test("a message that waits ends it, and voids its worker's hold", async () => {
      const { hold } = await take(message, "worker-1");
      await ledger.move(hold, next(), { type: "message.deferred", change: { status: "deferred" } });
      const result = await ledger.cancel(message, "ann@desk", "cancelled by ann@desk");
      expect(result).toMatchObject({
        kind: "done",
        record: { status: "cancelled", recipients: [{ status: "refused" }, { status: "refused" }] },
      });
      expect(await ledger.mark(hold, next(), PRIMARY)).toBe(false);
    });

    test("a message nobody took yet ends it before it begins", async () => {
      expect(await ledger.cancel(message, "app", "no longer wanted")).toMatchObject({ kind: "done" });
      const taken = await take(message, "worker-1");
      expect(taken.record.status).toBe("cancelled");
    });

    test("is refused while an attempt is under way, and after the end", async () => {
      const { hold } = await take(message, "worker-1");
      await ledger.start(hold, next(), { number: 1, provider: "primary" });
      expect(await ledger.cancel(message, "app", "x")).toEqual({ kind: "refused", status: "relaying", underWay: true });
      await ledger.end(hold, next(), attemptOf(1), {});
      await ledger.move(hold, next(), { type: "message.relayed", change: { status: "relayed" } });
      expect(await ledger.cancel(message, "app", "x")).toEqual({ kind: "refused", status: "relayed", underWay: false });
    });
  });
});
