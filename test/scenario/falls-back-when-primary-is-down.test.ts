import { afterAll, beforeAll, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";

let scene: Scene;
let primary: RelayServer;
let fallback: RelayServer;

beforeAll(async () => {
  scene = await Scene.open();
  primary = await startRelay({ name: "primary" });
  fallback = await startRelay({ name: "fallback" });
  await scene.start({
    breaker: { openMs: 500, rampStepMs: 200 },
    providers: {
      primary: relaySettings(primary, { priority: 10 }),
      fallback: relaySettings(fallback, { priority: 20 }),
    },
  });
});

afterAll(async () => {
  await scene.close();
  await primary.close();
  await fallback.close();
});

test("mail goes by the primary while it is up", async () => {
  const record = await scene.relayed(await scene.push(mail()));
  expect(record).toMatchObject({ status: "relayed", provider: "primary", attemptCount: 1 });
  expect(primary.accepted).toHaveLength(1);
  expect(primary.accepted[0]).toMatchObject({
    mailoverId: record.id,
    messageId: record.messageId,
    mailFrom: "app@contoso.example",
  });
  expect(record.remoteId).toBe(primary.accepted[0]?.remoteId);
});

test("mail goes by the fallback while the primary is down, each message once", async () => {
  primary.clear();
  primary.setFault({ kind: "refuse" });
  const jobs = await Promise.all(Array.from({ length: 20 }, () => scene.push(mail())));
  const records = await Promise.all(jobs.map((job) => scene.relayed(job)));
  expect(records.map(({ provider }) => provider)).toEqual(Array.from({ length: 20 }, () => "fallback"));
  expect(new Set(fallback.accepted.map(({ mailoverId }) => mailoverId)).size).toBe(20);
  expect(fallback.accepted).toHaveLength(20);
  expect(primary.accepted).toHaveLength(0);
  expect(scene.events).toContainEqual(
    expect.objectContaining({ type: "breaker.changed", provider: "primary", to: "open" }),
  );
  const later = await scene.relayed(await scene.push(mail()));
  expect(later.skipped).toContainEqual({ provider: "primary", reason: expect.stringContaining("breaker") });
});

test("mail goes by the primary again once a probe went well, and no mail was the probe", async () => {
  fallback.clear();
  primary.setFault(null);
  await until("it gets all of its mail again", () =>
    scene.events.some((event) => event.type === "ramp.stepped" && event.percent === 100),
  );
  const percents = scene.events.flatMap((event) => (event.type === "ramp.stepped" ? [event.percent] : []));
  expect(percents).toEqual([5, 25, 50, 100]);
  expect(primary.accepted).toHaveLength(0);
  const record = await scene.relayed(await scene.push(mail()));
  expect(record).toMatchObject({ provider: "primary", attemptCount: 1 });
});
