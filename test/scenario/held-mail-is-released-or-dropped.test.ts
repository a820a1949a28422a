import { afterEach, beforeEach, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { Messages } from "../../src/operations/messages.ts";
import type { HeldMessage } from "../../src/operations/messages.ts";
import { formatTrace, traceMessage } from "../../src/operations/trace.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";
import { messagesParts } from "./operator.ts";

let scene: Scene;
let relay: RelayServer;
let other: RelayServer;
let messages: Messages;

beforeEach(async () => {
  scene = await Scene.open();
  relay = await startRelay();
  other = await startRelay({ name: "other" });
  messages = new Messages(messagesParts(scene));
  await scene.start({
    retry: { delaysMs: [500] },
    providers: { first: relaySettings(relay, { priority: 10 }), second: relaySettings(other) },
  });
});

afterEach(async () => {
  await scene.close();
  await relay.close();
  await other.close();
});

async function allHeld(): Promise<HeldMessage[]> {
  const all: HeldMessage[] = [];
  for await (const held of messages.held()) all.push(held);
  return all;
}

/** A bulk message whose provider took it and hung up before it said so. */
async function hold(): Promise<{ readonly jobId: string; readonly held: HeldMessage }> {
  relay.setFault({ kind: "drop", at: "dot", accepted: true, count: 1 });
  const jobId = await scene.push(mail({ class: "bulk" }));
  await until("it is held", async () => (await scene.progress(jobId)).status === "held");
  await until("its job waits", async () => (await scene.queue.find(jobId))?.state === "delayed");
  const [held, ...more] = await allHeld();
  if (held === undefined || more.length > 0) throw new Error("it is not held alone");
  return { jobId, held };
}

test("what may have been accepted is held, listed, and asked of nobody else", async () => {
  const { jobId, held } = await hold();
  expect(held).toEqual({
    jobId,
    id: expect.stringMatching(/^[0-9a-v]{26}$/),
    since: expect.stringMatching(/Z$/),
    provider: "first",
    recipientCount: 1,
    reason: expect.any(String),
    until: expect.stringMatching(/Z$/),
  });
  expect(relay.accepted).toHaveLength(1);
  expect(other.accepted).toHaveLength(0);
});

test("released, it goes to the provider that may have it, and says that there may be a second copy", async () => {
  const { jobId, held } = await hold();
  expect(await messages.release(held.id, "ann@desk")).toMatchObject({
    done: true,
    sentence: `job ${jobId}: released to first`,
  });
  const record = await scene.relayed(jobId);
  expect(record).toMatchObject({ status: "relayed", provider: "first", possibleDuplicate: true });
  expect(relay.accepted.map(({ messageId }) => messageId)).toEqual([record.messageId, record.messageId]);
  expect(other.accepted).toHaveLength(0);
  const [trace] = await traceMessage(record.messageId, messagesParts(scene));
  if (trace === undefined) throw new Error("no trace");
  expect(trace.jobId).toBe(jobId);
  expect(trace.log.map(({ type, by }) => [type, by.includes(":") ? "worker" : by])).toEqual([
    ["message.received", "worker"],
    ["attempt.started", "worker"],
    ["attempt.ended", "worker"],
    ["message.held", "worker"],
    ["message.released", "ann@desk"],
    ["attempt.started", "worker"],
    ["attempt.ended", "worker"],
    ["message.relayed", "worker"],
  ]);
  const lines = formatTrace(trace);
  expect(lines).toContain("a second copy may exist");
  expect(lines).toMatch(/attempt 1 at first uncertain, at reply, in \d+ ms: /);
  expect(lines).toMatch(/attempt 2 at first relayed, in \d+ ms: 250 2\.0\.0 Ok: queued as /);
});

test("released once, it is not held again where the provider is busy, but where another answer is lost", async () => {
  const { jobId, held } = await hold();
  relay.setFault({ kind: "reply", at: "mail", text: "451 4.3.2 Try again later", count: 1 });
  await messages.release(held.id, "ann@desk");
  await until("the provider was busy", async () => (await scene.progress(jobId)).attemptCount === 2);
  relay.setFault({ kind: "drop", at: "dot", accepted: true, count: 1 });
  await until("it is held again", async () => {
    const record = await scene.progress(jobId);
    return record.status === "held" && record.attemptCount === 3;
  });
  expect(other.accepted).toHaveLength(0);
  const types = scene.events.filter(({ type }) => type === "message.held" || type === "message.deferred");
  expect(types.map(({ type }) => type)).toEqual(["message.held", "message.deferred", "message.held"]);
});

test("dropped, it ends as cancelled, at once and without another copy", async () => {
  const { jobId, held } = await hold();
  const wish = { by: "ann@desk", reason: "the provider's log has it" };
  expect(await messages.drop(jobId, wish)).toMatchObject({
    done: true,
    sentence: `job ${jobId}: cancelled; a provider may have accepted it before`,
  });
  expect(await scene.end(jobId)).toMatchObject({
    kind: "failed",
    reason: "cancelled: the provider's log has it",
    record: { status: "cancelled" },
  });
  expect(relay.accepted).toHaveLength(1);
  expect(other.accepted).toHaveLength(0);
  const told = scene.events.filter(({ type }) => type === "message.cancelled");
  expect(told).toEqual([expect.objectContaining({ id: held.id, jobId })]);
  expect(await allHeld()).toEqual([]);
  expect(await messages.drop(jobId, wish)).toMatchObject({
    done: false,
    sentence: expect.stringContaining("it is over: cancelled: "),
  });
});

test("what is not held is neither released nor dropped", async () => {
  const jobId = await scene.push(mail({ sendAt: new Date(Date.now() + 3_600_000) }));
  await until("it waits", async () => (await scene.progress(jobId)).status === "deferred");
  expect(await messages.release(jobId, "ann@desk")).toMatchObject({ done: false });
  expect(await messages.drop(jobId, { by: "ann@desk", reason: "x" })).toMatchObject({ done: false });
  expect(await messages.release("no-such-message", "ann@desk")).toMatchObject({ done: false });
  expect((await scene.progress(jobId)).status).toBe("deferred");
});
