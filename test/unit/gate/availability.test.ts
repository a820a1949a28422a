import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { GatewayEvent } from "../../../src/core/index.ts";
import type { FleetState } from "../../../src/gate/fleet/fleet.ts";
import { Gate } from "../../../src/gate/gate.ts";
import { gateSettings } from "../delivery/round-of.ts";
import { ScriptedProvider, failed, failureOf, relayed } from "../scripted-provider.ts";
import { ScriptedFleet } from "./scripted-fleet.ts";

const from = "app@contoso.com";
const breaker = { ...gateSettings.breaker, rampPercents: [5, 50], rampStepMs: 1_000 };

let fleet: ScriptedFleet;
let gate: Gate;
let provider: ScriptedProvider;
let events: GatewayEvent[];

beforeEach(() => {
  vi.useFakeTimers();
  fleet = new ScriptedFleet();
  events = [];
  provider = new ScriptedProvider("primary", [relayed]);
  const parts = { clock: Date.now, random: () => 0, emit: (event: GatewayEvent) => void events.push(event), fleet };
  gate = new Gate(provider, { ...gateSettings, breaker }, parts);
});
afterEach(() => {
  gate.close();
  vi.useRealTimers();
});

const openFor = (ms: number): FleetState => ({
  kind: "open",
  reason: "silence",
  remedy: null,
  untilAt: Date.now() + ms,
});

async function fail(): Promise<void> {
  const passage = gate.begin(from);
  passage.onStage("connect");
  await passage.end(failed("outage"));
}

/** How many of a hundred messages may go. */
function admitted(isAlone = false): number {
  return Array.from({ length: 100 }, (_, index) => gate.admit({ id: `m${index}`, from, isAlone })).filter(
    ({ open }) => open,
  ).length;
}

describe("with a fleet", () => {
  test("an open breaker is a vote, and a closed one takes it back", async () => {
    for (let call = 0; call < 3; call += 1) await fail();
    expect(fleet.votes).toEqual([{ reason: expect.stringContaining("in a row"), remedy: null, atLeastMs: null }]);
    fleet.become(openFor(5_000));
    await vi.advanceTimersByTimeAsync(60_000);
    // The fleet probes; this worker's own breaker waits for it.
    expect(provider.verifyCount).toBe(0);
    fleet.become({ kind: "ramp", startedAt: Date.now() });
    expect(gate.breakerState).toBe("closed");
    expect(fleet.votes.at(-1)).toBeNull();
  });

  test("what the fleet holds open is shut here, and attempts short of their content are abandoned", () => {
    const passage = gate.begin(from);
    passage.onStage("rcpt");
    const late = gate.begin(from);
    late.onStage("content");
    fleet.become(openFor(5_000));
    expect(passage.signal.aborted).toBe(true);
    expect(late.signal.aborted).toBe(false);
    expect(gate.admit({ id: "m1", from })).toEqual({
      open: false,
      cause: "breaker",
      reason: "breaker open for the fleet: silence",
      untilAt: Date.now() + 5_000,
    });
    expect(gate.admit({ id: "m1", from, isAlone: true }).open).toBe(false);
  });

  test("an open state whose time is over still has an end in sight", async () => {
    fleet.become(openFor(1_000));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(gate.admit({ id: "m1", from })).toMatchObject({ open: false, untilAt: Date.now() + 1_000 });
  });

  test("a probe for the fleet is verify(), told of, and opens no breaker here", async () => {
    provider.verification = { ok: false, stages: ["connect"], failure: failureOf("outage", { stage: "tls" }) };
    expect(await fleet.probe()).toMatchObject({ ok: false, stage: "tls" });
    expect(events).toContainEqual(expect.objectContaining({ type: "probe.ended", ok: false, stage: "tls" }));
    expect(gate.breakerState).toBe("closed");
  });

  test("where the fleet does not agree, the worker comes back alone", async () => {
    for (let call = 0; call < 3; call += 1) await fail();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(provider.verifyCount).toBe(1);
    expect(gate.breakerState).toBe("closed");
    expect(gate.percent).toBe(5);
  });

  test("a worker that loses its fleet while it waits for its probe, probes", async () => {
    for (let call = 0; call < 3; call += 1) await fail();
    fleet.become(openFor(5_000));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(provider.verifyCount).toBe(0);
    fleet.connected = false;
    expect(gate.admit({ id: "m1", from }).open).toBe(false);
    await vi.advanceTimersByTimeAsync(10);
    expect(provider.verifyCount).toBe(1);
    expect(gate.breakerState).toBe("closed");
  });

  test("a pause that another worker met is kept here, and one met here is shared", async () => {
    fleet.pause = { cause: "throttled", reason: "432 4.3.2", untilAt: Date.now() + 7_000 };
    expect(gate.admit({ id: "m1", from })).toMatchObject({ cause: "throttled", untilAt: Date.now() + 7_000 });
    const passage = gate.begin(from);
    passage.onStage("mail");
    await passage.end(failed("throttled", { retryAfterMs: 9_000 }));
    expect(fleet.shared).toEqual([expect.objectContaining({ untilAt: Date.now() + 9_000 })]);
    expect(gate.admit({ id: "m1", from })).toMatchObject({ untilAt: Date.now() + 9_000 });
  });
});

describe("on the way back", () => {
  beforeEach(() => fleet.become({ kind: "ramp", startedAt: Date.now() }));

  test("it gets a growing share of its mail, the same messages as before and more", async () => {
    const first = admitted();
    expect(first).toBeLessThan(20);
    await vi.advanceTimersByTimeAsync(1_000);
    const second = admitted();
    expect(second).toBeGreaterThan(30);
    expect(second).toBeLessThan(70);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(admitted()).toBe(100);
    const steps = events.filter(({ type }) => type === "ramp.stepped");
    expect(steps).toEqual([5, 50, 100].map((percent) => ({ type: "ramp.stepped", provider: "primary", percent })));
  });

  test("who is left out comes back at the next step", () => {
    const shut = Array.from({ length: 100 }, (_, index) => gate.admit({ id: `m${index}`, from })).find(
      ({ open }) => !open,
    );
    expect(shut).toMatchObject({ cause: "ramp", untilAt: Date.now() + 1_000 });
  });

  test("one failure opens its breaker again", async () => {
    await fail();
    expect(gate.breakerState).toBe("open");
    expect(fleet.votes.at(-1)).toMatchObject({ reason: expect.stringContaining("on its way back") });
  });

  test("the last provider left is let through gently: by few connections, and not by chance", () => {
    expect(admitted(true)).toBe(100);
    const passage = gate.begin(from);
    expect(admitted(true)).toBe(0);
    passage.abandon("over");
  });
});

describe("a standstill", () => {
  /** Attempts as they usually go: 10 ms in each stage. */
  async function usual(count: number): Promise<void> {
    for (let call = 0; call < count; call += 1) {
      const passage = gate.begin(from);
      for (const stage of ["mail", "rcpt", "data", "content"] as const) {
        passage.onStage(stage);
        await vi.advanceTimersByTimeAsync(10);
      }
      await passage.end(relayed);
    }
  }

  test("is found long before any time limit, one attempt waits, the others move on, and it opens for many at once", async () => {
    await usual(30);
    const attempts = Array.from({ length: 5 }, () => gate.begin(from));
    const waiting = gate.begin(from);
    const further = gate.begin(from);
    for (const attempt of attempts) attempt.onStage("mail");
    await vi.advanceTimersByTimeAsync(120);
    further.onStage("rcpt");
    await vi.advanceTimersByTimeAsync(80);
    expect(attempts.map(({ signal }) => signal.aborted)).toEqual([false, true, true, true, true]);
    expect([waiting, further].map(({ signal }) => signal.aborted)).toEqual([true, false]);
    expect(gate.admit({ id: "m1", from })).toMatchObject({ open: false, cause: "slow" });
    // Where nobody else is left, a standstill is no reason to wait.
    expect(gate.admit({ id: "m1", from, isAlone: true })).toEqual({ open: true });
    expect(gate.breakerState).toBe("closed");
    await vi.advanceTimersByTimeAsync(1_800);
    expect(gate.breakerState).toBe("open");
  });

  test("takes in those that were in another stage when it began, and hang there", async () => {
    await usual(30);
    const [witness, other] = [gate.begin(from), gate.begin(from)];
    witness.onStage("mail");
    await vi.advanceTimersByTimeAsync(100);
    other.onStage("rcpt");
    await vi.advanceTimersByTimeAsync(100);
    expect(gate.admit({ id: "m1", from })).toMatchObject({ open: false, cause: "slow" });
    expect([witness, other].map(({ signal }) => signal.aborted)).toEqual([false, false]);
    await vi.advanceTimersByTimeAsync(150);
    expect([witness, other].map(({ signal }) => signal.aborted)).toEqual([false, true]);
    await vi.advanceTimersByTimeAsync(1_700);
    expect(gate.breakerState).toBe("open");
  });

  test("is over as soon as one gets on", async () => {
    await usual(30);
    const attempts = [gate.begin(from), gate.begin(from)];
    for (const attempt of attempts) attempt.onStage("mail");
    await vi.advanceTimersByTimeAsync(200);
    expect(gate.admit({ id: "m1", from }).open).toBe(false);
    attempts[0]?.onStage("rcpt");
    expect(gate.admit({ id: "m1", from })).toEqual({ open: true });
  });

  test("is none where others get past the stage that one hangs in", async () => {
    await usual(30);
    const hanging = gate.begin(from);
    hanging.onStage("mail");
    await usual(20);
    expect(gate.admit({ id: "m1", from })).toEqual({ open: true });
    await vi.advanceTimersByTimeAsync(2_000);
    // Slow all the same, as one failure.
    expect(gate.breakerState).toBe("closed");
  });

  test("of one attempt alone is one failure, and the attempt moves on where others went elsewhere for it", async () => {
    await usual(30);
    const attempt = gate.begin(from);
    attempt.onStage("mail");
    await vi.advanceTimersByTimeAsync(500);
    expect(gate.admit({ id: "m1", from }).open).toBe(false);
    gate.passedBy();
    await vi.advanceTimersByTimeAsync(1_400);
    expect(attempt.signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(100);
    expect(attempt.signal.aborted).toBe(true);
    expect(gate.breakerState).toBe("closed");
    await attempt.end(failed("outage", { stage: "mail" }));
    expect(gate.admit({ id: "m1", from })).toEqual({ open: true });
    // Where nobody else came, there may be nobody else to go to; and to ask is not to come.
    const alone = gate.begin(from);
    alone.onStage("mail");
    await vi.advanceTimersByTimeAsync(500);
    expect(gate.admit({ id: "m1", from }).open).toBe(false);
    await vi.advanceTimersByTimeAsync(2_500);
    expect(alone.signal.aborted).toBe(false);
    await alone.end(relayed);
  });

  test("is none before it is known how long a stage usually takes", async () => {
    const attempts = [gate.begin(from), gate.begin(from)];
    for (const attempt of attempts) attempt.onStage("mail");
    await vi.advanceTimersByTimeAsync(1_500);
    expect(gate.admit({ id: "m1", from })).toEqual({ open: true });
  });
});
