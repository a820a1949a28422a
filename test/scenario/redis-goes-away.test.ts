import { afterEach, beforeEach, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";
import { severable } from "./severable-redis.ts";
import type { SeverableRedis } from "./severable-redis.ts";
import { giveUpLock, lookForStalled } from "./stalled-jobs.ts";

let scene: Scene;
let relay: RelayServer;
let way: SeverableRedis;

beforeEach(async () => {
  scene = await Scene.open();
  relay = await startRelay();
  way = await severable(scene.redisUrl);
});

afterEach(async () => {
  way.mend();
  await scene.close();
  await relay.close();
  await way.close();
});

const settings = (more: object = {}): { [key: string]: unknown } => ({
  redis: { url: way.url },
  delivery: { shutdownMs: 1_000, slowAfterMs: 60_000 },
  retry: { delaysMs: [300], jitterPercent: 0 },
  providers: { relay: relaySettings(relay) },
  ...more,
});

test("mail that is relayed while Redis is away for longer than a lock lasts is not sent again", async () => {
  // Accepted at once, answered late: the answer comes when nobody can write it down.
  relay.setFault({ kind: "slow", at: "dot", delayMs: 500 });
  await scene.start(settings());
  const job = await scene.push(mail());
  await until("it is accepted", () => relay.accepted.length === 1);
  way.cut();
  await until("the answer came", () => scene.events.some(({ type }) => type === "attempt.ended"));
  await giveUpLock(scene, job);
  way.mend();
  await until("the ledger has it", async () => (await scene.ledgerStatus(job)) === "relayed");
  await lookForStalled(scene);
  expect(await scene.relayed(job)).toMatchObject({ status: "relayed", possibleDuplicate: false });
  expect(relay.accepted).toHaveLength(1);
});

test("no content leaves while Redis is away, and that is held against no provider", async () => {
  relay.setFault({ kind: "slow", delayMs: 150 });
  await scene.start(settings());
  const job = await scene.push(mail());
  await until("the attempt began", () => scene.events.some(({ type }) => type === "attempt.started"));
  way.cut();
  await until("the attempt was stopped", () => scene.events.some(({ type }) => type === "attempt.ended"), 20_000);
  expect(relay.accepted).toHaveLength(0);
  relay.setFault(null);
  way.mend();
  expect(await scene.relayed(job)).toMatchObject({ status: "relayed", possibleDuplicate: false });
  expect(relay.accepted).toHaveLength(1);
  expect(scene.events.filter(({ type }) => type === "breaker.changed")).toEqual([]);
}, 60_000);

test("a gateway that is told to stop while Redis is away ends in its time, and the message is another's", async () => {
  relay.setFault({ kind: "silence", at: "mail" });
  const gateway = await scene.start(settings());
  const job = await scene.push(mail());
  await until("the attempt began", () => scene.events.some(({ type }) => type === "attempt.started"));
  way.cut();
  const startedAt = Date.now();
  await gateway.stop();
  expect(Date.now() - startedAt).toBeLessThan(2_000);
  expect(await scene.queue.counts()).toMatchObject({ active: 1, failed: 0, completed: 0 });
  relay.setFault(null);
  await scene.start(settings({ redis: { url: scene.redisUrl } }));
  await giveUpLock(scene, job);
  await lookForStalled(scene);
  expect(await scene.relayed(job)).toMatchObject({ status: "relayed" });
  expect(relay.accepted).toHaveLength(1);
});

test("an idle gateway stops while Redis is away", async () => {
  const gateway = await scene.start(settings());
  way.cut();
  const startedAt = Date.now();
  await gateway.stop();
  expect(Date.now() - startedAt).toBeLessThan(2_000);
});

test("a worker that lost its job writes nothing over the record of the one that has it", async () => {
  const other = await startRelay();
  relay.setFault({ kind: "silence", at: "mail" });
  const slow = await scene.start(settings({ delivery: { shutdownMs: 1_000, slowAfterMs: 60_000 } }));
  const job = await scene.push(mail());
  await until("the attempt began", () => scene.events.some(({ type }) => type === "attempt.started"));
  way.cut();
  await giveUpLock(scene, job);
  await scene.start(settings({ redis: { url: scene.redisUrl }, providers: { other: relaySettings(other) } }));
  await lookForStalled(scene);
  const record = await scene.relayed(job);
  expect(record).toMatchObject({ provider: "other" });
  way.mend();
  const before = await scene.progress(job);
  // Its attempt is stopped now, and it would save what came of it.
  await slow.stop();
  expect(await scene.progress(job)).toEqual(before);
  expect((await scene.relayed(job)).provider).toBe("other");
  expect(relay.accepted.length + other.accepted.length).toBe(1);
  await other.close();
});

test("a message whose worker died is marked as a possible duplicate", async () => {
  relay.setFault({ kind: "silence", at: "dot", accepted: true });
  await scene.start(settings());
  const job = await scene.push(mail());
  await until("the content is out", () => relay.accepted.length === 1);
  way.cut();
  await giveUpLock(scene, job);
  relay.setFault(null);
  await scene.start(settings({ redis: { url: scene.redisUrl } }));
  await lookForStalled(scene);
  expect(await scene.relayed(job)).toMatchObject({ possibleDuplicate: true });
  expect(relay.accepted).toHaveLength(2);
});
