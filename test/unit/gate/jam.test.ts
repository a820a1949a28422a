import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Gate } from "../../../src/gate/gate.ts";
import type { Passage } from "../../../src/gate/passage.ts";
import { gateSettings } from "../delivery/round-of.ts";
import { ScriptedProvider, failed, relayed } from "../scripted-provider.ts";

const from = "app@contoso.com";
const bearer = { id: "m1", from };
let gate: Gate;

beforeEach(() => {
  vi.useFakeTimers();
  gate = new Gate(new ScriptedProvider("primary", [relayed]), gateSettings, {
    clock: Date.now,
    random: () => 0,
    emit: () => undefined,
  });
});
afterEach(() => {
  gate.close();
  vi.useRealTimers();
});

/** An attempt whose content is out, and that waits for the answer. */
function unanswered(): Passage {
  const passage = gate.begin(from);
  passage.onStage("mail");
  passage.onStage("reply");
  return passage;
}

async function answered(afterMs: number): Promise<void> {
  const passage = unanswered();
  await vi.advanceTimersByTimeAsync(afterMs);
  await passage.end(relayed);
}

async function known(): Promise<void> {
  for (let count = 0; count < 30; count += 1) await answered(20);
}

test("who waits for a connection moves on when no connection gets anywhere, and who comes then is not let in", async () => {
  await known();
  const busy = [unanswered(), unanswered()];
  const waiting = gate.begin(from);
  await vi.advanceTimersByTimeAsync(200);
  expect(waiting.signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(400);
  expect(waiting.signal.aborted).toBe(true);
  expect(waiting.turnedAway()).toBe(true);
  expect(gate.admit(bearer)).toMatchObject({
    open: false,
    cause: "slow",
    reason: expect.stringContaining("stands still"),
  });
  // Their content is out: they are left to end.
  expect(busy.map(({ signal }) => signal.aborted)).toEqual([false, false]);
  expect(gate.breakerState).toBe("closed");
});

test("it is over as soon as one gets an answer", async () => {
  await known();
  const busy = unanswered();
  gate.begin(from);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(gate.admit(bearer)).toMatchObject({ open: false });
  await busy.end(relayed);
  expect(gate.admit(bearer)).toEqual({ open: true });
});

test("a message that no other provider can take waits all the same", async () => {
  await known();
  unanswered();
  gate.begin(from);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(gate.admit({ ...bearer, isAlone: true })).toEqual({ open: true });
  const alone = gate.begin(from);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(alone.signal.aborted).toBe(false);
});

test("while one connection gets on, others are waited for", async () => {
  await known();
  unanswered();
  const waiting = gate.begin(from);
  for (let count = 0; count < 20; count += 1) await answered(100);
  expect(waiting.signal.aborted).toBe(false);
});

test("a provider that always takes its time is given it", async () => {
  for (let count = 0; count < 30; count += 1) await answered(1_000);
  unanswered();
  const waiting = gate.begin(from);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(waiting.signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(waiting.signal.aborted).toBe(true);
});

test("where nothing is known of it yet, it is given the time of a slow attempt", async () => {
  const busy = gate.begin(from);
  busy.onStage("reply");
  const waiting = gate.begin(from);
  await vi.advanceTimersByTimeAsync(gateSettings.slowAfterMs - 100);
  expect(waiting.signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(300);
  expect(waiting.signal.aborted).toBe(true);
});

test("what ended by a time limit is not taken for usual", async () => {
  await known();
  const stuck = Array.from({ length: 10 }, unanswered);
  await vi.advanceTimersByTimeAsync(60_000);
  // Not the provider's fault, so that its breaker leaves this test alone.
  for (const passage of stuck) await passage.end(failed("content"));
  unanswered();
  const waiting = gate.begin(from);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(waiting.signal.aborted).toBe(true);
});

test("nobody waits: nothing is watched", async () => {
  await known();
  unanswered();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(gate.admit(bearer)).toEqual({ open: true });
});
