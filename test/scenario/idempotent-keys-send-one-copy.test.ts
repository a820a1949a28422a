import { Queue } from "bullmq";
import type { ConnectionOptions } from "bullmq";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MailoverClient, MessageRefusedError } from "../../src/client.ts";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import type { MessageInput } from "../../src/index.ts";
import { Scene, mail, relaySettings } from "./gateway.ts";

let scene: Scene;
let relay: RelayServer;
let queue: Queue;
const clients: MailoverClient[] = [];

beforeEach(async () => {
  scene = await Scene.open();
  relay = await startRelay();
  queue = new Queue("mail", { connection: scene.redis as unknown as ConnectionOptions });
  await scene.start({ providers: { relay: relaySettings(relay) } });
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await queue.close();
  await scene.close();
  await relay.close();
});

function client(): MailoverClient {
  const made = new MailoverClient({ redis: { url: scene.redisUrl } });
  clients.push(made);
  return made;
}

const order = (more: object = {}): MessageInput => mail({ idempotencyKey: "order-17", ...more }) as MessageInput;

test("two clients with the same key at the same time: one job, one copy", async () => {
  const ids = await Promise.all([client().send(order()), client().send(order())]);
  expect(ids[0]).toBe(ids[1]);
  await scene.relayed(ids[0] ?? "");
  expect(relay.accepted).toHaveLength(1);
  expect(await client().send(order())).toBe(ids[0]);
});

test("two jobs of other clients with the same key: one copy, and both complete", async () => {
  const jobs = await Promise.all([queue.add("message", order()), queue.add("message", order())]);
  const records = await Promise.all(jobs.map((job) => scene.relayed(job.id ?? "")));
  expect(new Set(records.map(({ id }) => id)).size).toBe(1);
  expect(records.filter(({ duplicateOf }) => duplicateOf !== undefined)).toHaveLength(1);
  expect(relay.accepted).toHaveLength(1);
});

test("another content under the same key is refused when it is sent, and nothing is queued", async () => {
  const jobId = await client().send(order());
  await expect(client().send(order({ subject: "Another" }))).rejects.toThrow(
    new MessageRefusedError(`idempotencyKey: was used for another message, in job ${jobId}`),
  );
  await scene.relayed(jobId);
  await expect(client().send(order({ subject: "Another" }))).rejects.toThrow(MessageRefusedError);
  expect(relay.accepted).toHaveLength(1);
  expect(Object.values(await scene.queue.counts()).reduce((sum, count) => sum + count)).toBe(1);
});

test("where its job shows no more what it was, its worker refuses another content", async () => {
  const jobId = await client().send(order());
  await scene.relayed(jobId);
  await (await queue.getJob(jobId))?.remove();
  const again = await client().send(order({ subject: "Another" }));
  expect(await scene.end(again)).toMatchObject({
    kind: "failed",
    reason: expect.stringContaining("was used for another message"),
  });
  expect(relay.accepted).toHaveLength(1);
});

test("the same key is still the same message after its job was removed", async () => {
  const jobId = await client().send(order());
  const record = await scene.relayed(jobId);
  await (await queue.getJob(jobId))?.remove();
  expect(await scene.relayed(await client().send(order()))).toEqual(record);
  const other = await queue.add("message", order());
  expect(await scene.relayed(other.id ?? "")).toEqual({ ...record, duplicateOf: jobId });
  expect(relay.accepted).toHaveLength(1);
});

test("a job id of an app's own, pushed again after its job was removed: one copy", async () => {
  const job = await queue.add("message", mail(), { jobId: "order-18" });
  const record = await scene.relayed(job.id ?? "");
  await (await queue.getJob("order-18"))?.remove();
  await queue.add("message", mail(), { jobId: "order-18" });
  expect(await scene.relayed("order-18")).toEqual(record);
  expect(relay.accepted).toHaveLength(1);
});

test("keys of two tenants are two messages", async () => {
  const ids = await Promise.all([client().send(order({ tenant: "a" })), client().send(order({ tenant: "b" }))]);
  await Promise.all(ids.map((id) => scene.relayed(id)));
  expect(relay.accepted).toHaveLength(2);
});
