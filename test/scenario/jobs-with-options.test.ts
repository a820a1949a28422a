import { FlowProducer, Queue } from "bullmq";
import type { ConnectionOptions } from "bullmq";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";

let scene: Scene;
let relay: RelayServer;
let queue: Queue;

beforeAll(async () => {
  scene = await Scene.open();
  relay = await startRelay();
  queue = new Queue("mail", { connection: scene.redis as unknown as ConnectionOptions });
  await scene.start({
    classes: { otp: { giveUpAfterMs: 1_000 } },
    retry: { delaysMs: [300], jitterPercent: 0 },
    providers: { relay: relaySettings(relay) },
  });
});

afterAll(async () => {
  await queue.close();
  await scene.close();
  await relay.close();
});

beforeEach(() => {
  relay.setFault(null);
  relay.clear();
});

test("a delay of BullMQ's own does not count towards the age of a message", async () => {
  const job = await queue.add("x", mail({ class: "otp" }), { delay: 1_500 });
  expect((await scene.relayed(job.id ?? "")).status).toBe("relayed");
  expect(relay.accepted).toHaveLength(1);
});

test("a scheduler's messages are each of their own, and not too old for having been made ahead", async () => {
  await queue.upsertJobScheduler("weekly", { every: 1_500, limit: 3 }, { name: "x", data: mail({ class: "otp" }) });
  await until("two are relayed", () => relay.accepted.length >= 2);
  await queue.removeJobScheduler("weekly");
  expect(new Set(relay.accepted.map(({ mailoverId }) => mailoverId)).size).toBe(relay.accepted.length);
});

test("removeOnComplete and removeOnFail of the app's own are kept to", async () => {
  const options = { removeOnComplete: true, removeOnFail: true };
  const good = await queue.add("x", mail(), options);
  const bad = await queue.add("x", mail({ to: "unknown@example.org" }), options);
  await until("both are gone", async () => !(await queue.getJob(good.id ?? "")) && !(await queue.getJob(bad.id ?? "")));
  expect(relay.accepted).toHaveLength(1);
});

test("lifo, a priority, many attempts and an id of the app's own make no difference", async () => {
  relay.setFault({ kind: "reply", at: "rcpt", text: "450 4.2.0 Greylisted", count: 3 });
  const options = { lifo: true, attempts: 9, backoff: { type: "custom" } };
  const jobs = await Promise.all([
    queue.add("x", mail(), { ...options, jobId: "order-7-lock" }),
    queue.add("x", mail(), { ...options, priority: 7 }),
    queue.add("x", mail({ class: "bulk" }), { priority: 2_097_151 }),
  ]);
  for (const job of jobs) expect((await scene.relayed(job.id ?? "")).status).toBe("relayed");
  expect(relay.accepted).toHaveLength(3);
});

test("data that is no object fails at once, data that is no JSON holds nobody up", async () => {
  const odd = [null, 7, "text", [mail()]] as unknown as object[];
  const jobs = await Promise.all(odd.map((data) => queue.add("x", data)));
  for (const job of jobs) expect(await scene.end(job.id ?? "")).toMatchObject({ kind: "failed" });
  const broken = await queue.add("x", mail(), { delay: 200 });
  await scene.redis.hset(`bull:mail:${broken.id ?? ""}`, "data", "{broken");
  await until("it is taken", async () => (await queue.getJobState(broken.id ?? "")) === "active");
  expect((await scene.relayed(await scene.push(mail()))).status).toBe("relayed");
});

test("a message that is the child of a flow lets its parent go on", async () => {
  const flows = new FlowProducer({ connection: scene.redis as unknown as ConnectionOptions });
  const { job } = await flows.add({
    name: "second",
    queueName: "mail",
    data: mail({ subject: "second" }),
    children: [{ name: "first", queueName: "mail", data: mail({ subject: "first" }) }],
  });
  expect((await scene.relayed(job.id ?? "")).status).toBe("relayed");
  expect(relay.accepted.map(({ content }) => /^Subject: (\w+)/m.exec(content.toString())?.[1])).toEqual([
    "first",
    "second",
  ]);
  await flows.close();
});

test("a progress of the app's own is no record; a log that only a later version can read makes the message wait", async () => {
  const own = await queue.add("x", mail(), { delay: 200 });
  await own.updateProgress({ id: "mine", status: "relayed" });
  expect((await scene.relayed(own.id ?? "")).status).toBe("relayed");
  relay.setFault({ kind: "reply", at: "rcpt", text: "450 4.2.0 Greylisted", count: 1 });
  const later = await queue.add("x", mail());
  await until("it waits", async () => (await scene.ledgerStatus(later.id ?? "")) === "deferred");
  const received = scene.events.find((event) => event.type === "message.received" && event.jobId === later.id);
  const id = received?.type === "message.received" ? received.id : "";
  await scene.redis.rpush(`mailover:ledger:{${id}}:log`, JSON.stringify({ type: "message.cloned" }));
  relay.clear();
  await until("it was looked at", () => scene.logged.some((line) => line.includes("a later version's")));
  expect(relay.accepted).toHaveLength(0);
  expect(await queue.getJobState(later.id ?? "")).toBe("delayed");
});
