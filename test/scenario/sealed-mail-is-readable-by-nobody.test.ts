import { Queue } from "bullmq";
import type { ConnectionOptions } from "bullmq";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MailoverClient } from "../../src/client.ts";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import type { MessageInput } from "../../src/index.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";

const SECRET = "the-secret-word";
const encryption = { primary: "k1", keys: { k1: Buffer.alloc(32, 7).toString("base64") } };
const message = (more: object = {}): MessageInput => mail({ text: `Psst: ${SECRET}`, ...more }) as MessageInput;

let scene: Scene;
let relay: RelayServer;
let client: MailoverClient;
let queue: Queue;

beforeEach(async () => {
  scene = await Scene.open();
  relay = await startRelay();
  client = new MailoverClient({ redis: { url: scene.redisUrl }, encryption });
  queue = new Queue("mail", { connection: scene.redis as unknown as ConnectionOptions });
});

afterEach(async () => {
  await queue.close();
  await client.close();
  await scene.close();
  await relay.close();
});

const start = (): Promise<unknown> =>
  scene.start({ encryption, retry: { delaysMs: [200] }, providers: { relay: relaySettings(relay) } });

/** Every key and every value in the store, as text. */
async function everything(): Promise<string> {
  const { redis } = scene;
  const keys = await redis.keys("*");
  const dumps = await Promise.all(
    keys.map(async (key): Promise<unknown> => {
      switch (await redis.type(key)) {
        case "hash":
          return redis.hgetall(key);
        case "list":
          return redis.lrange(key, 0, -1);
        case "zset":
          return redis.zrange(key, "0", "-1");
        case "set":
          return redis.smembers(key);
        case "stream":
          return redis.xrange(key, "-", "+");
        default:
          return redis.get(key);
      }
    }),
  );
  return JSON.stringify([keys, dumps]);
}

test("what a client seals is read by nobody while it waits, and goes out as it was", async () => {
  const jobId = await client.send(message());
  expect(await everything()).not.toContain(SECRET);
  expect(await everything()).toContain('\\"key\\":\\"k1\\"');
  await start();
  await scene.relayed(jobId);
  expect(relay.accepted[0]?.content.toString()).toContain(SECRET);
  expect(await everything()).not.toContain(SECRET);
  await until("nothing is left of its content", async () => !(await everything()).includes("sealed"));
});

test("what another client pushed in the open is sealed as soon as it has to wait", async () => {
  await start();
  relay.setFault({ kind: "reply", at: "rcpt", text: "450 4.2.0 Greylisted", count: 1 });
  const job = await queue.add("message", message({ sendAt: new Date(Date.now() + 1_000).toISOString() }));
  await until("it waits, sealed", async () =>
    JSON.stringify((await queue.getJob(job.id ?? ""))?.data).includes("sealed"),
  );
  expect(await everything()).not.toContain(SECRET);
  await scene.relayed(job.id ?? "");
  expect(relay.accepted).toHaveLength(1);
  expect(relay.accepted[0]?.content.toString()).toContain(SECRET);
});

test.each([
  ["bounced", message({ to: "unknown@example.org" })],
  ["refused", message({ colour: "red" })],
] as const)("what was %s at once is kept sealed, too", async (how, data) => {
  await start();
  const job = await queue.add("message", data);
  expect(await scene.end(job.id ?? "")).toMatchObject({ kind: "failed", reason: expect.stringMatching(`^${how}: `) });
  expect(await everything()).not.toContain(SECRET);
});

test.each([
  ["with metadata", { metadata: { orderId: 17 } }],
  ["with a key", { idempotencyKey: "order-17", tenant: "shop" }],
  ["with fields that are null", { metadata: null, idempotencyKey: null, tenant: null }],
] as const)("a relayed job %s keeps no content; retried, it completes as it was", async (_how, more) => {
  await start();
  const job = await queue.add("message", message(more));
  const record = await scene.relayed(job.id ?? "");
  await until("its content is gone", async () => !(await everything()).includes(SECRET));
  expect((await queue.getJob(job.id ?? ""))?.data).toMatchObject({ to: "ann@example.org", digest: expect.any(String) });
  await (await queue.getJob(job.id ?? ""))?.retry("completed");
  await until("it is over again", async () => (await queue.getJobState(job.id ?? "")) === "completed");
  expect(await scene.relayed(job.id ?? "")).toEqual(record);
  expect(relay.accepted).toHaveLength(1);
});

test("a key has the same content whether it is sealed or not", async () => {
  const jobId = await client.send(message({ idempotencyKey: "once" }));
  expect(await client.send(message({ idempotencyKey: "once" }))).toBe(jobId);
  await expect(client.send(message({ idempotencyKey: "once", subject: "Another" }))).rejects.toThrow(/another message/);
  await queue.add("message", message({ idempotencyKey: "once" }));
  await start();
  await scene.relayed(jobId);
  await until("both are over", async () => (await queue.getCompletedCount()) === 2);
  expect(relay.accepted).toHaveLength(1);
});

test("without its key a sealed message waits, and is not lost", async () => {
  const jobId = await client.send(message());
  await scene.start({ providers: { relay: relaySettings(relay) } });
  await until("it waits", async () => (await queue.getJobState(jobId)) === "delayed");
  expect(relay.accepted).toHaveLength(0);
});
