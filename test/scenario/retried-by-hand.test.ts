import { Queue } from "bullmq";
import type { ConnectionOptions, Job } from "bullmq";
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
  await scene.start({ providers: { relay: relaySettings(relay) } });
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

async function jobOf(id: string): Promise<Job> {
  const job = await queue.getJob(id);
  if (job === undefined) throw new Error(`no job ${id}`);
  return job;
}

test("a completed job completes again as it was, and nothing is sent", async () => {
  const id = await scene.push(mail({ to: ["ann@example.org", "unknown@example.org"] }));
  const record = await scene.relayed(id);
  await (await jobOf(id)).retry("completed");
  await until("it is finished again", async () => (await (await jobOf(id)).isCompleted()) === true);
  expect(await scene.relayed(id)).toEqual(record);
  expect(relay.accepted).toHaveLength(1);
});

test("a bounced one is tried again, for those who were refused", async () => {
  relay.setFault({ kind: "reply", at: "rcpt", text: "550 5.1.1 no such user" });
  const id = await scene.push(mail());
  expect(await scene.end(id)).toMatchObject({ kind: "failed", reason: expect.stringMatching(/^bounced: 550 5\.1\.1/) });
  relay.setFault(null);
  await (await jobOf(id)).retry("failed", { resetAttemptsMade: true });
  await until("it is relayed", () => relay.accepted.length === 1);
  expect(await scene.relayed(id)).toMatchObject({
    attemptCount: 2,
    recipients: [{ address: "ann@example.org", status: "relayed", reason: null }],
  });
});

test("one that grew too old gets its time anew, but is still never sent after its expiresAt", async () => {
  const settings = { classes: { transactional: { giveUpAfterMs: 1_000 } }, retry: { delaysMs: [400] } };
  const other = await Scene.open();
  const otherQueue = new Queue("mail", { connection: other.redis as unknown as ConnectionOptions });
  try {
    await other.start({ ...settings, providers: { relay: relaySettings(relay) } });
    relay.setFault({ kind: "reply", at: "rcpt", text: "450 4.2.0 Greylisted" });
    const old = await other.push(mail());
    const dated = await other.push(mail({ expiresAt: new Date(Date.now() + 900) }));
    expect(await other.end(old)).toMatchObject({ kind: "failed", reason: expect.stringMatching(/^expired: /) });
    expect(await other.end(dated)).toMatchObject({ kind: "failed", reason: expect.stringMatching(/^expired: /) });
    // Once more greylisted: a second round within the new time must do.
    relay.setFault({ kind: "reply", at: "rcpt", text: "450 4.2.0 Greylisted", count: 1 });
    await (await otherQueue.getJob(dated))?.retry();
    await until("it expired again", async () => (await otherQueue.getJobState(dated)) === "failed");
    await (await otherQueue.getJob(old))?.retry();
    await until("it is relayed", () => relay.accepted.length === 1);
    expect((await other.relayed(old)).status).toBe("relayed");
    expect(relay.accepted).toHaveLength(1);
  } finally {
    await otherQueue.close();
    await other.close();
  }
});
