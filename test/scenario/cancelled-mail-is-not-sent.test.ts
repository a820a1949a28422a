import { afterEach, beforeEach, expect, test } from "vitest";
import { Queue } from "bullmq";
import type { ConnectionOptions } from "bullmq";
import { MailoverClient } from "../../src/client.ts";
import { startRelay } from "../../src/lab/index.ts";
import type { MessageInput } from "../../src/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { startReceiver } from "../unit/events/receiver.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";

let scene: Scene;
let relay: RelayServer;
let client: MailoverClient;

const wish = { by: "shop", reason: "the order was withdrawn" };
const cancelled = { kind: "failed", reason: "cancelled: the order was withdrawn", record: { status: "cancelled" } };

beforeEach(async () => {
  scene = await Scene.open();
  relay = await startRelay();
  client = new MailoverClient({ redis: { url: scene.redisUrl } });
});

afterEach(async () => {
  await client.close();
  await scene.close();
  await relay.close();
});

const start = (): Promise<unknown> => scene.start({ providers: { relay: relaySettings(relay) } });
const tellings = (): number => scene.events.filter(({ type }) => type === "message.cancelled").length;

test("one that no worker has had yet ends when its turn comes", async () => {
  const jobId = await client.send(mail() as MessageInput);
  expect(await client.cancel(jobId, wish)).toMatchObject({ done: true, sentence: `job ${jobId}: cancelled` });
  await start();
  expect(await scene.end(jobId)).toMatchObject(cancelled);
  expect(tellings()).toBe(1);
  expect(relay.accepted).toHaveLength(0);
});

test("one that its app delayed ends at once", async () => {
  await start();
  const queue = new Queue("mail", { connection: scene.redis as unknown as ConnectionOptions });
  const job = await queue.add("message", mail(), { delay: 3_600_000 });
  await queue.close();
  expect(await client.cancel(job.id ?? "", wish)).toMatchObject({ done: true });
  expect(await scene.end(job.id ?? "")).toMatchObject(cancelled);
  expect(tellings()).toBe(1);
  expect(relay.accepted).toHaveLength(0);
});

test("one that waits for its sendAt ends at once", async () => {
  await start();
  const jobId = await client.send(mail({ sendAt: new Date(Date.now() + 3_600_000).toISOString() }) as MessageInput);
  await until("it waits", async () => (await scene.queue.find(jobId))?.state === "delayed");
  expect(await client.cancel(jobId, wish)).toMatchObject({ done: true });
  expect(await scene.end(jobId)).toMatchObject(cancelled);
  expect(relay.accepted).toHaveLength(0);
});

test("a deferred one ends at once, and says who has it already", async () => {
  await start();
  const jobId = await client.send(mail({ to: ["ann@example.org", "greylisted@example.org"] }) as MessageInput);
  await until("it waits", async () => (await scene.queue.find(jobId))?.state === "delayed");
  expect(await client.cancel(jobId, wish)).toMatchObject({
    done: true,
    sentence: `job ${jobId}: cancelled; 1 of 2 recipients have it`,
  });
  expect(await scene.end(jobId)).toMatchObject(cancelled);
  expect(relay.accepted).toHaveLength(1);
});

test("one that is under way is not, and one that is over neither", async () => {
  await start();
  relay.setFault({ kind: "slow", at: "dot", delayMs: 700, count: 1 });
  const jobId = await client.send(mail() as MessageInput);
  await until("it is under way", () => scene.events.some(({ type }) => type === "attempt.started"));
  expect(await client.cancel(jobId, wish)).toMatchObject({
    done: false,
    sentence: expect.stringContaining("a worker has it"),
  });
  await scene.relayed(jobId);
  await until("its content was removed", async () =>
    JSON.stringify((await scene.queue.find(jobId))?.data).includes("digest"),
  );
  expect(await client.cancel(jobId, wish)).toMatchObject({ done: false, sentence: expect.stringContaining("ended") });
  relay.setFault({ kind: "reply", at: "rcpt", text: "550 5.1.1 no such user" });
  const bounced = await client.send(mail() as MessageInput);
  await scene.end(bounced);
  expect(await client.cancel(bounced, wish)).toMatchObject({
    done: false,
    sentence: expect.stringContaining("it bounced already"),
  });
  expect(await client.cancel("no-such-job", wish)).toMatchObject({ done: false });
});

test("one that waits for a connection, in a later round, is not sent, and ends soon", async () => {
  await scene.start({
    retry: { delaysMs: [500], jitterPercent: 0 },
    providers: { relay: relaySettings(relay, { connections: 1 }) },
  });
  relay.setFault({ kind: "reply", at: "rcpt", text: "450 4.2.0 Greylisted", count: 1 });
  const jobId = await client.send(mail() as MessageInput);
  await until("it is deferred", async () => (await scene.queue.find(jobId))?.state === "delayed");
  relay.setFault({ kind: "slow", at: "dot", delayMs: 2_000, count: 1 });
  const other = await client.send(mail({ to: "bob@example.org" }) as MessageInput);
  await until("it waits behind the other", async () => (await scene.queue.find(jobId))?.state === "active");
  expect(await client.cancel(jobId, wish)).toMatchObject({ done: true });
  const cancelledAt = Date.now();
  expect(await scene.end(jobId)).toMatchObject(cancelled);
  expect(Date.now() - cancelledAt).toBeLessThan(10_000);
  await scene.relayed(other);
  expect(relay.accepted.map(({ rcptTo }) => rcptTo)).toEqual([["bob@example.org"]]);
});

test("one that is cancelled stays cancelled when its job is retried by hand, and is told of once", async () => {
  await start();
  const jobId = await client.send(mail({ sendAt: new Date(Date.now() + 3_600_000).toISOString() }) as MessageInput);
  await until("it waits", async () => (await scene.queue.find(jobId))?.state === "delayed");
  await client.cancel(jobId, wish);
  await scene.end(jobId);
  const queue = new Queue("mail", { connection: scene.redis as unknown as ConnectionOptions });
  await (await queue.getJob(jobId))?.retry();
  await until("it has failed again", async () => (await queue.getJobState(jobId)) === "failed");
  await queue.close();
  expect(await scene.end(jobId)).toMatchObject(cancelled);
  expect(tellings()).toBe(1);
  expect(relay.accepted).toHaveLength(0);
});

test("its app's endpoint is told, with who it was for and the app's own fields", async () => {
  const receiver = await startReceiver();
  try {
    const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
    await scene.start({
      providers: { relay: relaySettings(relay) },
      webhooks: { app: { url: receiver.url, secret, events: ["message.cancelled"] } },
    });
    const sendAt = new Date(Date.now() + 3_600_000).toISOString();
    const jobId = await client.send(mail({ sendAt, metadata: { orderId: 7 } }) as MessageInput);
    await until("it waits", async () => (await scene.queue.find(jobId))?.state === "delayed");
    await client.cancel(jobId, wish);
    await until("it was told", () => receiver.requests.length === 1);
    expect(JSON.parse(String(receiver.requests[0]?.body))).toMatchObject({
      type: "message.cancelled",
      data: {
        status: "cancelled",
        reason: wish.reason,
        recipients: [{ address: "ann@example.org", status: "refused" }],
        metadata: { orderId: 7 },
      },
    });
  } finally {
    await receiver.close();
  }
});
