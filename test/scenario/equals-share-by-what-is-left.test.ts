import { afterEach, beforeEach, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";

/** As a pool of mailboxes: each has a limit of its own. */
const PER_MINUTE = 5;
const NAMES = ["one", "two", "three"];

let scene: Scene;
let relays: RelayServer[];

beforeEach(async () => {
  scene = await Scene.open();
  relays = await Promise.all(NAMES.map((name) => startRelay({ name })));
  const limits = { perMinute: PER_MINUTE, keepPercent: { otp: 0, transactional: 0 } };
  await scene.start({
    providers: Object.fromEntries(relays.map((relay, index) => [NAMES[index], relaySettings(relay, { limits })])),
  });
});

afterEach(async () => {
  await scene.close();
  for (const relay of relays) await relay.close();
});

test("providers of equal priority carry together what each may carry, and the rest waits for its slot", async () => {
  const pushedAt = Date.now();
  const ids = await Promise.all(Array.from({ length: 20 }, () => scene.push(mail({ class: "bulk" }))));
  await until("those that do not wait are relayed, and the others wait", async () => {
    const { completed, delayed } = await scene.queue.counts();
    return completed === 15 && delayed === 5;
  });
  expect(relays.map(({ accepted }) => accepted.length)).toEqual([PER_MINUTE, PER_MINUTE, PER_MINUTE]);
  const records = await Promise.all(ids.map((id) => scene.progress(id)));
  const waiting = records.filter(({ status }) => status === "deferred");
  expect(waiting).toHaveLength(5);
  for (const { nextAttemptAt, reason } of waiting) {
    // The first slots are free again a minute after the attempts that hold them ended.
    expect(Date.parse(nextAttemptAt ?? "") - pushedAt).toBeGreaterThan(59_000);
    expect(Date.parse(nextAttemptAt ?? "") - Date.now()).toBeLessThan(70_000);
    expect(reason).toMatch(/^(one|two|three): .*5 messages a minute/);
  }
});
