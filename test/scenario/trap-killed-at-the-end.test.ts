import { afterEach, beforeEach, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";
import { lookForStalled } from "./stalled-jobs.ts";

let scene: Scene;
let relay: RelayServer;

beforeEach(async () => {
  scene = await Scene.open();
  relay = await startRelay();
  await scene.start({ providers: { relay: relaySettings(relay) } });
});

afterEach(async () => {
  await scene.close();
  await relay.close();
});

const toldOf = (type: string): number => scene.events.filter((event) => event.type === type).length;

/** The job as it is when its worker was killed after the ledger was told, and before BullMQ was. */
async function killedBeforeTheJobKnew(jobId: string, state: "delayed" | "failed"): Promise<void> {
  await scene.redis
    .multi()
    .zrem(`bull:mail:${state}`, jobId)
    .hdel(`bull:mail:${jobId}`, "progress", "finishedOn", "failedReason")
    .lpush("bull:mail:active", jobId)
    .exec();
  await lookForStalled(scene);
}

test("killed before a held message waits: it is held again, and not taken for one that was released", async () => {
  relay.setFault({ kind: "drop", at: "dot", accepted: true, count: 1 });
  const jobId = await scene.push(mail({ onUncertain: "hold" }));
  await until("its job waits", async () => (await scene.queue.counts())["delayed"] === 1);
  await killedBeforeTheJobKnew(jobId, "delayed");
  await until("its job waits again", async () => (await scene.queue.counts())["delayed"] === 1);
  expect(await scene.progress(jobId)).toMatchObject({ status: "held", attemptCount: 1, possibleDuplicate: false });
  expect(await scene.ledgerStatus(jobId)).toBe("held");
  expect(toldOf("message.held")).toBe(2);
  expect(relay.accepted).toHaveLength(1);
});

test("a held message whose job comes too soon, as by a clock that is ahead, is held again", async () => {
  relay.setFault({ kind: "drop", at: "dot", accepted: true, count: 1 });
  const jobId = await scene.push(mail({ onUncertain: "hold" }));
  await until("its job waits", async () => (await scene.queue.counts())["delayed"] === 1);
  await scene.queue.promote(jobId);
  await until("it was held twice", () => toldOf("message.held") === 2);
  await until("its job waits again", async () => (await scene.queue.counts())["delayed"] === 1);
  expect(await scene.progress(jobId)).toMatchObject({ status: "held", attemptCount: 1, possibleDuplicate: false });
  expect(relay.accepted).toHaveLength(1);
});

test("killed before a bounced message's job has failed: the job fails with its record, and it is told of again", async () => {
  const jobId = await scene.push(mail({ to: "unknown@example.org" }));
  expect(await scene.end(jobId)).toMatchObject({ kind: "failed", record: { status: "bounced" } });
  await killedBeforeTheJobKnew(jobId, "failed");
  await until("its job has failed again", async () => (await scene.queue.counts())["failed"] === 1);
  expect(await scene.end(jobId)).toMatchObject({ kind: "failed", record: { status: "bounced", attemptCount: 1 } });
  expect(toldOf("message.bounced")).toBe(2);
  expect(toldOf("attempt.started")).toBe(1);
});

test("killed in a second attempt whose content is out: the record says that there may be two copies", async () => {
  relay.setFault({ kind: "drop", at: "dot", accepted: true, count: 1 });
  const jobId = await scene.push(mail({ onUncertain: "hold" }));
  await until("its job waits", async () => (await scene.queue.counts())["delayed"] === 1);
  const { id } = await scene.progress(jobId);
  // As after the operator let it go on, to a worker that was killed with the content out.
  await scene.redis.hset(`mailover:ledger:{${id}}`, { open: "2", provider: "relay", mark: "1" });
  await killedBeforeTheJobKnew(jobId, "delayed");
  await until("its job waits again", async () => (await scene.queue.counts())["delayed"] === 1);
  expect(await scene.progress(jobId)).toMatchObject({ status: "held", attemptCount: 2, possibleDuplicate: true });
  expect(relay.accepted).toHaveLength(1);
});
