import { afterEach, beforeEach, expect, test } from "vitest";
import { MailoverClient, MessageRefusedError } from "../../src/client.ts";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import type { Following } from "../../src/queue/follower.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";

let scene: Scene;
let relay: RelayServer;
let client: MailoverClient;

beforeEach(async () => {
  scene = await Scene.open();
  relay = await startRelay();
  client = new MailoverClient({ redis: { url: scene.redisUrl } });
  await scene.start({
    delivery: { shutdownMs: 1_000 },
    retry: { delaysMs: [200] },
    providers: { relay: relaySettings(relay) },
  });
});

afterEach(async () => {
  await client.close();
  await scene.close();
  await relay.close();
});

test("a message is followed through its deferral to its end", async () => {
  relay.setFault({ kind: "reply", at: "rcpt", text: "450 4.2.0 Greylisted" });
  const steps: Following["kind"][] = [];
  const jobId = await client.send(mail());
  const end = await client.follow(jobId, {
    onStep: (step) => {
      steps.push(step.kind);
      relay.setFault(null);
    },
    signal: AbortSignal.timeout(20_000),
  });
  expect(end.kind).toBe("relayed");
  expect(steps.slice(0, 1)).toEqual(["progress"]);
  expect(steps.at(-1)).toBe("relayed");
});

test("the end of a message is seen also where its event was missed", async () => {
  relay.setFault({ kind: "silence", at: "mail" });
  const jobId = await client.send(mail());
  const end = client.follow(jobId, { signal: AbortSignal.timeout(20_000) });
  await until("it is under way", () => scene.events.some(({ type }) => type === "attempt.started"));
  // As a worker leaves it, but without a word in the stream of events.
  await scene.redis.hset(`bull:mail:${jobId}`, { finishedOn: Date.now(), failedReason: "expired: too late" });
  expect(await end).toMatchObject({ kind: "failed", reason: "expired: too late" });
  relay.setFault(null);
});

test("a message that cannot be sent is refused before it is queued", async () => {
  await expect(client.send({ from: "app@contoso.example", subject: "to nobody" })).rejects.toThrow(MessageRefusedError);
  expect(Object.values(await scene.queue.counts()).every((count) => count === 0)).toBe(true);
});
