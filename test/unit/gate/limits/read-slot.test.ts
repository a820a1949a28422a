import { afterAll, beforeAll, expect, test } from "vitest";
import type { LimitSettings, MessageClass } from "../../../../src/core/index.ts";
import { readNextSlot } from "../../../../src/gate/limits/read-slot.ts";
import type { NextSlot } from "../../../../src/gate/limits/read-slot.ts";
import { ATTEMPT_TIMEOUT_MS, World, ask, openStore } from "./world.ts";

let store: Awaited<ReturnType<typeof openStore>>;

beforeAll(async () => {
  store = await openStore();
});

afterAll(() => store.close());

function look(world: World, messageClass: MessageClass): Promise<NextSlot | null> {
  const asked = { settings: world.settings, class: messageClass, attemptTimeoutMs: ATTEMPT_TIMEOUT_MS };
  return readNextSlot(world.redis, world.provider, asked, world.now, world.now);
}

const CLASSES = ["otp", "transactional", "bulk"] as const;

const settings: readonly [what: string, settings: Partial<LimitSettings>][] = [
  ["one lane", { perMinute: 12 }],
  ["a share kept for each class", { perMinute: 12, keepPercent: { otp: 20, transactional: 30 } }],
  ["a burst", { perMinute: 12, burst: 3 }],
];

test.each(settings)("with %s, a message that asks next is given the slot that was looked at", async (_what, limits) => {
  const world = new World(store.redis, limits);
  const limiter = world.worker();
  let waits = 0;
  for (let turn = 0; turn < 60; turn += 1) {
    const messageClass = CLASSES[turn % 3] ?? "bulk";
    const seen = await look(world, messageClass);
    expect(await look(world, messageClass)).toEqual(seen);
    const slot = await ask(limiter, { class: messageClass, bookWithinMs: turn % 4 === 0 ? 60_000 : 0 });
    const waitMs = slot.kind === "granted" ? 0 : slot.at - world.now;
    expect(seen?.waitMs).toBe(waitMs);
    if (slot.kind === "granted") slot.end(turn % 5 !== 0);
    else waits += 1;
    await world.settled();
    world.now += turn % 7 === 0 ? 5_000 : 400;
  }
  expect(waits).toBeGreaterThan(5);
  await world.close();
});

test("where nobody set a limit and none was learned, there is no slot to look at", async () => {
  const world = new World(store.redis, {});
  expect(await look(world, "bulk")).toBeNull();
});

test("a lowered pace is seen", async () => {
  const world = new World(store.redis, { perMinute: 12 });
  await world.worker().lowerPace("too fast", 0);
  expect(await look(world, "bulk")).toEqual({ limit: 6, open: 6, waitMs: 0 });
  await world.close();
});
