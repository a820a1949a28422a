import { afterAll, beforeAll, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";

const MESSAGE_COUNT = 60;

let scene: Scene;
let relays: RelayServer[];

beforeAll(async () => {
  scene = await Scene.open();
  relays = await Promise.all(["first", "second"].map((name) => startRelay({ name })));
  await scene.start({
    breaker: { openMs: 300, openMaxMs: 1_000 },
    retry: { delaysMs: [300], otpDelaysMs: [300], jitterPercent: 0 },
    providers: Object.fromEntries(relays.map((relay) => [relay.name, relaySettings(relay)])),
  });
});

afterAll(async () => {
  await scene.close();
  await Promise.all(relays.map((relay) => relay.close()));
});

test("all providers are down, and come back: everything flows without a restart, each message once", async () => {
  for (const relay of relays) await relay.setFault({ kind: "refuse" });
  const jobs = await Promise.all(
    Array.from({ length: MESSAGE_COUNT }, (_, index) =>
      scene.push(mail({ class: ["otp", "transactional", "bulk"][index % 3] })),
    ),
  );
  const shut = (): boolean => scene.events.some(({ type }) => type === "breaker.changed");
  await until("a breaker opened", shut);
  const last = jobs.at(-1) ?? "";
  // Deferred again and again by gates that are shut: it stays one that can be cancelled.
  const deferrals = (): number =>
    scene.events.filter((event) => event.type === "message.deferred" && event.jobId === last).length;
  await until("the last one was deferred three times", () => deferrals() >= 3);
  await until("it waits", async () => (await scene.ledgerStatus(last)) === "deferred");

  for (const relay of relays) await relay.setFault(null);
  const records = await Promise.all(jobs.map((job) => scene.relayed(job)));
  expect(records.every(({ possibleDuplicate }) => !possibleDuplicate)).toBe(true);
  const ids = relays.flatMap((relay) => relay.accepted).map(({ mailoverId }) => mailoverId);
  expect(ids).toHaveLength(MESSAGE_COUNT);
  expect(new Set(ids).size).toBe(MESSAGE_COUNT);
  expect(await scene.queue.counts()).toMatchObject({ active: 0, delayed: 0, failed: 0, completed: MESSAGE_COUNT });
});
