import { afterEach, beforeEach, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { Messages } from "../../src/operations/messages.ts";
import { traceMessage } from "../../src/operations/trace.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";
import { messagesParts } from "./operator.ts";

const addressKey = Buffer.alloc(32, 9).toString("base64");

let scene: Scene;
let relay: RelayServer;

beforeEach(async () => {
  scene = await Scene.open();
  relay = await startRelay();
  await scene.start({
    ledger: { addresses: "hashed", addressKey },
    retry: { delaysMs: [200] },
    providers: { relay: relaySettings(relay) },
  });
});

afterEach(async () => {
  await scene.close();
  await relay.close();
});

async function ledgerText(): Promise<string> {
  const keys = await scene.redis.keys("mailover:ledger:*");
  const values = await Promise.all(
    keys.map(async (key) =>
      (await scene.redis.type(key)) === "list" ? scene.redis.lrange(key, 0, -1) : scene.redis.hgetall(key),
    ),
  );
  return JSON.stringify([keys, values]);
}

test("partial relays stay right over rounds, and no key of the ledger holds an address", async () => {
  relay.setFault({
    kind: "reply",
    at: "rcpt",
    text: "450 4.2.0 <bob@example.org> Greylisted",
    recipient: "bob",
    count: 2,
  });
  const to = ["ann@example.org", "bob@example.org", "unknown@example.org"];
  const jobId = await scene.push(mail({ to }));
  const record = await scene.relayed(jobId);
  expect(record.recipients.map(({ address, status }) => [address, status])).toEqual([
    ["ann@example.org", "relayed"],
    ["bob@example.org", "relayed"],
    ["unknown@example.org", "refused"],
  ]);
  expect(relay.accepted.map(({ rcptTo }) => rcptTo)).toEqual([["ann@example.org"], ["bob@example.org"]]);
  const text = await ledgerText();
  expect(text).toMatch(/#[0-9a-f]{20}@example\.org/);
  expect(text).not.toMatch(/\b(?:ann|bob|unknown)@/);
  const [trace] = await traceMessage(jobId, messagesParts(scene, { addressKey }));
  expect(trace?.record.recipients.map(({ status }) => status)).toEqual(["relayed", "relayed", "refused"]);
});

test("one that is cancelled before a worker had it leaves no address either", async () => {
  const messages = new Messages(messagesParts(scene, { addressKey }));
  relay.setFault({ kind: "reply", at: "rcpt", text: "450 4.2.0 Greylisted" });
  const jobId = await scene.push(mail({ sendAt: new Date(Date.now() + 3_600_000) }));
  await until("it waits", async () => (await scene.queue.find(jobId))?.state === "delayed");
  expect(await messages.cancel(jobId, { by: "ann@desk", reason: "for bob@example.org" })).toMatchObject({ done: true });
  const end = await scene.end(jobId);
  expect(end).toMatchObject({ kind: "failed", record: { recipients: [{ address: "ann@example.org" }] } });
  const text = await ledgerText();
  expect(text).toContain("ann@desk");
  expect(text).not.toMatch(/\b(?:ann|bob)@example/);
});
