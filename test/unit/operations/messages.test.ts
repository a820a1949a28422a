import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Queue } from "bullmq";
import type { ConnectionOptions } from "bullmq";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultLimits } from "../../../src/message/index.ts";
import { MessageIndex } from "../../../src/operations/message-index.ts";
import { Messages } from "../../../src/operations/messages.ts";
import type { MessagesParts } from "../../../src/operations/messages.ts";
import { openLedger } from "../../../src/operations/open-ledger.ts";
import { traceMessage } from "../../../src/operations/trace.ts";
import { MailQueue } from "../../../src/queue/mail-queue.ts";
import { closeRedis, connectRedis } from "../../../src/redis/connection.ts";
import type { RedisClient } from "../../../src/redis/connection.ts";
import { startEmbeddedStore } from "../../../src/redis/embedded.ts";
import type { EmbeddedStore } from "../../../src/redis/embedded.ts";
import { createKeyring, seal } from "../../../src/submission/index.ts";

const HOUR_MS = 3_600_000;
const wish = { by: "ann@desk", reason: "no longer wanted" };
const keys = { k1: Buffer.alloc(32, 7).toString("base64") };

let folder: string;
let store: EmbeddedStore;
let redis: RedisClient;
let queue: Queue;
let parts: MessagesParts;
let messages: Messages;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mailover-messages-"));
  store = await startEmbeddedStore({ dataDir: folder, log: () => undefined });
  redis = connectRedis({ url: store.url }, { use: "commands", connectionName: "test", onError: () => undefined });
  queue = new Queue("mail", { connection: redis as unknown as ConnectionOptions });
  parts = {
    queue: new MailQueue({ name: "mail", prefix: "bull" }, redis),
    ledger: openLedger(redis, null),
    index: new MessageIndex(redis),
    queueName: "mail",
    keyring: createKeyring({}),
    limits: defaultLimits,
    keepMs: HOUR_MS,
    idempotencyMs: 168 * HOUR_MS,
    giveUpAfterMs: () => 72 * HOUR_MS,
  };
  messages = new Messages(parts);
});

afterEach(async () => {
  await parts.queue.close();
  await queue.close();
  await closeRedis(redis);
  await store.stop();
  await rm(folder, { recursive: true, force: true });
});

const mail = (more: object = {}): object => ({
  from: "app@contoso.example",
  to: "ann@example.org",
  subject: "Hello",
  text: "Hello, Ann.",
  ...more,
});

async function push(data: object = mail(), delay = 0): Promise<string> {
  return (await queue.add("message", data, { delay })).id ?? "";
}

async function idOf(jobId: string): Promise<string> {
  const [trace] = await traceMessage(jobId, parts);
  return trace?.record.id ?? "";
}

describe("before a worker has had it", () => {
  test("a message is cancelled once, and its record outlives the time in which it could be sent", async () => {
    const jobId = await push(mail(), HOUR_MS);
    expect(await messages.cancel(jobId, wish)).toMatchObject({ done: true, sentence: `job ${jobId}: cancelled` });
    expect(await messages.cancel(jobId, wish)).toEqual({
      done: false,
      sentence: `job ${jobId}: not done, since it was cancelled already`,
    });
    const keptMs = await redis.pttl(`mailover:ledger:{${await idOf(jobId)}}`);
    expect(keptMs).toBeGreaterThan(73 * HOUR_MS);
    expect(await queue.getJobState(jobId)).not.toBe("delayed");
  });

  test("the key of a cancelled message stands for it as long as that of any other", async () => {
    const jobId = await push(mail({ idempotencyKey: "order-17" }));
    await messages.cancel(jobId, wish);
    const keptMs = await redis.pttl(`mailover:ledger:{${await idOf(jobId)}}`);
    expect(keptMs).toBeGreaterThan(168 * HOUR_MS);
  });

  test("it is found by its own id once the ledger has it", async () => {
    const jobId = await push();
    await messages.cancel(jobId, wish);
    const id = await idOf(jobId);
    expect(await messages.cancel(id, wish)).toMatchObject({
      sentence: expect.stringMatching(`^job ${jobId}: not done`),
    });
    const [trace] = await traceMessage(id, parts);
    expect(trace?.log.map(({ type, by }) => [type, by])).toEqual([
      ["message.received", "ann@desk"],
      ["message.cancelled", "ann@desk"],
    ]);
  });
});

describe("not done, and why", () => {
  const cases: readonly [what: string, data: object, why: RegExp][] = [
    ["no message", { colour: "red" }, /since its content is no message: .*colour/],
    [
      "sealed with a key that is not here",
      seal(mail(), createKeyring({ primary: "k1", keys })),
      /cannot be opened: the content is sealed with key k1/,
    ],
    [
      "stripped",
      { to: "ann@example.org", digest: "0".repeat(64), bodyRemovedAt: "2026-11-24T00:00:00.000Z" },
      /its content was removed when the message ended/,
    ],
  ];
  test.each(cases)("%s", async (_what, data, why) => {
    const jobId = await push(data);
    const answer = await messages.cancel(jobId, wish);
    expect(answer).toMatchObject({ done: false, sentence: expect.stringMatching(why) });
    expect(answer.sentence).not.toContain("Hello");
    expect(await redis.keys("mailover:*")).toEqual([]);
  });

  test("a job that brings another one's message again does not end that one", async () => {
    const first = await push(mail({ idempotencyKey: "k" }), HOUR_MS);
    await messages.cancel(first, wish);
    const second = await push(mail({ idempotencyKey: "k" }));
    expect(await messages.cancel(second, wish)).toEqual({
      done: false,
      sentence: `job ${second}: not done, since it brings the message of job ${first} again: cancel that`,
    });
  });

  test("its job says that it is held, but holds no record", async () => {
    const jobId = await push(mail(), HOUR_MS);
    await (await queue.getJob(jobId))?.updateProgress({ status: "held" });
    const held = [];
    for await (const each of messages.held()) held.push(each);
    expect(held).toEqual([]);
    expect(await messages.drop(jobId, wish)).toMatchObject({
      done: false,
      sentence: expect.stringContaining("not held"),
    });
  });

  test("nobody knows it", async () => {
    const sentence = "there is no job and no message 4711, or it is no longer kept";
    expect(await messages.cancel("4711", wish)).toEqual({ done: false, sentence });
    expect(await messages.drop("4711", wish)).toEqual({ done: false, sentence });
    expect(await messages.release("4711", "ann@desk")).toEqual({ done: false, sentence });
    expect(await traceMessage("4711", parts)).toEqual([]);
  });
});

describe("by Message-ID", () => {
  test("one of Mailover's own, with or without brackets", async () => {
    const jobId = await push();
    await messages.cancel(jobId, wish);
    const [trace] = await traceMessage(jobId, parts);
    const messageId = trace?.record.messageId ?? "";
    for (const name of [messageId, messageId.slice(1, -1)]) {
      expect((await traceMessage(name, parts)).map((found) => found.jobId)).toEqual([jobId]);
    }
  });

  test("an app's own, also where several messages have it", async () => {
    const headers = { "Message-ID": "<order-17@contoso.example>" };
    const jobIds = [await push(mail({ headers })), await push(mail({ headers })), await push()];
    for (const jobId of jobIds) await messages.cancel(jobId, wish);
    const found = await traceMessage("<order-17@contoso.example>", parts);
    expect(found.map(({ jobId }) => jobId).toSorted()).toEqual(jobIds.slice(0, 2).toSorted());
    expect(await traceMessage("<order-18@contoso.example>", parts)).toEqual([]);
  });
});
