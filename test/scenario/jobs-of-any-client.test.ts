import { Queue, QueueEvents } from "bullmq";
import type { ConnectionOptions } from "bullmq";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { Scene, mail, relaySettings } from "./gateway.ts";

let scene: Scene;
let relay: RelayServer;
let queue: Queue;
let events: QueueEvents;

beforeAll(async () => {
  scene = await Scene.open();
  relay = await startRelay();
  // BullMQ's own client, as any app has it: nothing of Mailover's is in its way.
  queue = new Queue("mail", { connection: scene.redis as unknown as ConnectionOptions });
  events = new QueueEvents("mail", { connection: scene.redis as unknown as ConnectionOptions });
  await events.waitUntilReady();
  await scene.start({ retry: { delaysMs: [300], jitterPercent: 0 }, providers: { relay: relaySettings(relay) } });
});

afterAll(async () => {
  await events.close();
  await queue.close();
  await scene.close();
  await relay.close();
});

beforeEach(() => {
  relay.setFault(null);
  relay.clear();
});

const stateOf = async (id: string | undefined): Promise<string> => queue.getJobState(id ?? "");

describe("a job that is no message", () => {
  for (const options of [{}, { attempts: 5, backoff: { type: "exponential", delay: 10 } }]) {
    test(`fails at once with every bad field named, with ${JSON.stringify(options)}`, async () => {
      const bad = { from: "nobody", to: ["bob@", "ann@example.org"], colour: "red", text: "x" };
      const job = await queue.add("anything", bad, options);
      const end = await scene.end(job.id ?? "");
      expect(end.kind).toBe("failed");
      const reason = end.kind === "failed" ? end.reason : "";
      expect(reason).toMatch(/^refused: /);
      for (const field of ["from", "to[0]", "colour"]) expect(reason).toContain(field);
      expect(await stateOf(job.id)).toBe("failed");
      expect((await queue.getJob(job.id ?? ""))?.attemptsMade).toBe(1);
      expect(relay.connections).toBe(0);
    });
  }

  test("does not hold up the jobs behind it", async () => {
    const bad = await queue.addBulk(Array.from({ length: 200 }, () => ({ name: "bad", data: { nonsense: true } })));
    const good = await queue.add("good", mail());
    expect((await scene.relayed(good.id ?? "")).status).toBe("relayed");
    for (const job of bad) expect((await scene.end(job.id ?? "")).kind).toBe("failed");
  });
});

describe("how a job ends", () => {
  test("relayed to one recipient at least: completed, with the record as its return value", async () => {
    const job = await queue.add("x", mail({ to: ["ann@example.org", "unknown@example.org"] }));
    const returned = (await job.waitUntilFinished(events, 10_000)) as object;
    expect(returned).toMatchObject({
      status: "relayed",
      provider: "relay",
      recipients: [
        { address: "ann@example.org", status: "relayed" },
        { address: "unknown@example.org", status: "refused", reason: expect.stringContaining("550 5.1.1") },
      ],
    });
    expect(await stateOf(job.id)).toBe("completed");
  });

  test("relayed to none: failed, with the reply as the reason and the record as its progress", async () => {
    const job = await queue.add("x", mail({ to: "unknown@example.org", metadata: { order: 7 } }), { attempts: 3 });
    await expect(job.waitUntilFinished(events, 10_000)).rejects.toThrow(/^bounced: 550 5\.1\.1 /);
    const failed = await queue.getJob(job.id ?? "");
    expect(failed?.progress).toMatchObject({ status: "bounced", attemptCount: 1, metadata: { order: 7 } });
  });

  test("too old: failed as expired, and never sent after its time", async () => {
    relay.setFault({ kind: "reply", at: "rcpt", text: "450 4.2.0 Greylisted" });
    const expiresAt = new Date(Date.now() + 1_000).toISOString();
    const job = await queue.add("x", mail({ expiresAt }));
    await expect(job.waitUntilFinished(events, 10_000)).rejects.toThrow(/^expired: .*450 4\.2\.0 Greylisted/);
    expect(relay.accepted).toHaveLength(0);
  });
});

describe("a deferral", () => {
  for (const options of [{}, { attempts: 1 }, { attempts: 3, backoff: 60_000 }]) {
    test(`is delayed by our table and neither completed nor failed, with ${JSON.stringify(options)}`, async () => {
      relay.setFault({ kind: "reply", at: "rcpt", text: "450 4.2.0 Greylisted", count: 4 });
      const states = new Set<string>();
      const job = await queue.add("x", mail(), options);
      const watch = setInterval(() => void stateOf(job.id).then((state) => states.add(state)), 20);
      const attemptCounts: number[] = [];
      const onProgress = ({ jobId, data }: { jobId: string; data: unknown }): void => {
        if (jobId === job.id) attemptCounts.push((data as { attemptCount: number }).attemptCount);
      };
      const seen: unknown[] = [];
      const onDelayed = ({ jobId }: { jobId: string }): void => {
        if (jobId === job.id) void queue.getJob(jobId).then((waiting) => seen.push(waiting?.progress));
      };
      events.on("progress", onProgress);
      events.on("delayed", onDelayed);
      const record = await scene.relayed(job.id ?? "");
      clearInterval(watch);
      events.off("progress", onProgress);
      events.off("delayed", onDelayed);
      expect(record).toMatchObject({ status: "relayed", attemptCount: 5, deferralCount: 4 });
      expect([...states].filter((state) => state === "failed")).toEqual([]);
      expect(states).toContain("delayed");
      expect(attemptCounts).toEqual([1, 2, 3, 4]);
      // It was sorted to its class first; then it was deferred, with what is known of it as its progress.
      expect(seen).toHaveLength(1 + 4);
      expect(seen).toContainEqual(
        expect.objectContaining({ status: "deferred", reason: expect.stringContaining("450") }),
      );
      expect((await queue.getJob(job.id ?? ""))?.attemptsMade).toBe(1);
      expect(relay.accepted).toHaveLength(1);
    });
  }
});

test("the same message keeps its Message-ID, its id and its bytes over every attempt", async () => {
  relay.setFault({ kind: "drop", at: "dot", accepted: true, count: 1 });
  const job = await queue.add("x", mail({ subject: "請求書" }));
  const record = await scene.relayed(job.id ?? "");
  expect(record.possibleDuplicate).toBe(true);
  expect(relay.accepted).toHaveLength(2);
  expect(relay.accepted[0]?.content.equals(relay.accepted[1]?.content ?? Buffer.alloc(0))).toBe(true);
  expect(relay.accepted.map(({ mailoverId }) => mailoverId)).toEqual([record.id, record.id]);
});
