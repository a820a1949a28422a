import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Failure, GatewayEvent, Outcome, SendOptions, Verification } from "../../../src/core/index.ts";
import { Gate } from "../../../src/gate/gate.ts";
import type { GateSettings } from "../../../src/gate/gate.ts";
import { gateSettings } from "../delivery/round-of.ts";
import { ScriptedProvider, failed, failureOf, relayed } from "../scripted-provider.ts";

const from = "app@contoso.com";
let gate: Gate;
let provider: ScriptedProvider;
let events: GatewayEvent[];

function make(more: Partial<GateSettings> = {}, capabilities = {}): void {
  events = [];
  provider = new ScriptedProvider("primary", [relayed], capabilities);
  gate = new Gate(
    provider,
    { ...gateSettings, ...more },
    { clock: Date.now, random: () => 0, emit: (event) => events.push(event) },
  );
}

async function pass(outcome: Outcome): Promise<void> {
  const passage = gate.begin(from);
  passage.onStage("connect");
  await passage.end(outcome);
}

beforeEach(() => {
  vi.useFakeTimers();
  make();
});
afterEach(() => {
  gate.close();
  vi.useRealTimers();
});

describe("what counts for the breaker", () => {
  const rows: readonly [what: string, outcome: Outcome, times: number, state: string][] = [
    ["outages open it", failed("outage"), 3, "open"],
    ["a provider's 4xx open it", failed("busy"), 3, "open"],
    ["a greylisted recipient does not", failed("busy", { scope: "recipient" }), 20, "closed"],
    ["an unknown mailbox does not", failed("recipient"), 20, "closed"],
    ["refused content does not", failed("content"), 20, "closed"],
    ["a message too large does not", failed("size"), 20, "closed"],
    ["a refused From does not", failed("sender"), 20, "closed"],
    ["throttling does not", failed("throttled"), 20, "closed"],
    ["a used-up quota does not", failed("quota"), 20, "closed"],
    ["a 4xx for the sender's domain does not", failed("busy", { scope: "sender" }), 20, "closed"],
    ["bad credentials open it at once", failed("auth", { stage: "auth" }), 1, "open"],
    ["one recipient that the server does not relay to does not", failed("auth", { stage: "rcpt" }), 1, "closed"],
    ["several in a row do", failed("auth", { stage: "rcpt" }), 3, "open"],
    ["a lost answer to the content counts", failed("uncertain"), 3, "open"],
    ["a blocked account counts", failed("reputation"), 3, "open"],
  ];
  for (const [what, outcome, times, state] of rows) {
    test(what, async () => {
      for (let call = 0; call < times; call += 1) await pass(outcome);
      expect(gate.breakerState).toBe(state);
    });
  }

  test("lost answers to the content open it for longer than any probe could tell", async () => {
    for (let call = 0; call < 3; call += 1) await pass(failed("uncertain"));
    expect(gate.admit({ id: "m1", from })).toMatchObject({ open: false, untilAt: Date.now() + 20_000 });
  });

  test("a provider with few connections needs only as many failures in a row", async () => {
    gate.close();
    make({ breaker: { ...gateSettings.breaker, consecutiveFailures: 5 } }, { maxConnections: 2 });
    await pass(failed("outage"));
    await pass(failed("outage"));
    expect(gate.breakerState).toBe("open");
  });
});

test("with a single connection, one failure is not a row of them", async () => {
  gate.close();
  make({}, { maxConnections: 1 });
  await pass(failed("outage"));
  expect(gate.breakerState).toBe("closed");
  await pass(failed("outage"));
  expect(gate.breakerState).toBe("open");
});

describe("what pauses it", () => {
  const limit = (scope: "provider" | "recipient"): Failure => failureOf("throttled", { scope, retryAfterMs: 20_000 });
  const rows: readonly [what: string, outcome: Outcome, isPaused: boolean][] = [
    ["its own limit does", failed("throttled"), true],
    ["a recipient's own limit does not", failed("throttled", { scope: "recipient" }), false],
    [
      "its own limit does when it met one recipient of a message it took",
      { ...relayed, refused: [{ recipient: "bob@example.org", failure: limit("provider") }] } as Outcome,
      true,
    ],
    [
      "a recipient's own limit does not when it took the message for others",
      { ...relayed, refused: [{ recipient: "bob@example.org", failure: limit("recipient") }] } as Outcome,
      false,
    ],
  ];
  test.each(rows)("%s", async (_what, outcome, isPaused) => {
    await pass(outcome);
    expect(gate.isPaused).toBe(isPaused);
  });
});

describe("what is left behind", () => {
  test("no timer, where a provider tells of a stage after the end", async () => {
    const passage = gate.begin(from);
    await passage.end(failed("busy", { scope: "recipient" }));
    const timersBefore = vi.getTimerCount();
    passage.onStage("connect");
    expect(vi.getTimerCount()).toBe(timersBefore);
  });

  test("no probe, once the gate is closed", async () => {
    let stopped = false;
    provider.verify = ({ signal }: SendOptions): Promise<Verification> =>
      new Promise(() => signal.addEventListener("abort", () => (stopped = true), { once: true }));
    await pass(failed("auth", { stage: "auth" }));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(gate.breakerState).toBe("half-open");
    gate.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(stopped).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    expect(events.map(({ type }) => type)).not.toContain("probe.ended");
  });
});

describe("slow attempts", () => {
  test("those short of their content count while they run, and are abandoned when the breaker opens", async () => {
    const slow = [1, 2, 3].map(() => gate.begin(from));
    for (const passage of slow) passage.onStage("greeting");
    const pastContent = gate.begin(from);
    pastContent.onStage("reply");
    const waiting = gate.begin(from);
    waiting.onStage("queue");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(gate.breakerState).toBe("open");
    expect(slow.map(({ signal }) => signal.aborted)).toEqual([true, true, true]);
    expect(waiting.signal.aborted).toBe(true);
    expect(pastContent.signal.aborted).toBe(false);
  });

  test("waiting for a connection of our own does not count", async () => {
    for (let call = 0; call < 5; call += 1) gate.begin(from).onStage("queue");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(gate.breakerState).toBe("closed");
  });

  test("one that was counted while it ran is not counted again at its end", async () => {
    for (let call = 0; call < 2; call += 1) {
      const passage = gate.begin(from);
      passage.onStage("mail");
      await vi.advanceTimersByTimeAsync(2_000);
      await passage.end(failed("outage"));
    }
    expect(gate.breakerState).toBe("closed");
  });
});

describe("admission", () => {
  test("a shut gate says why and until when", async () => {
    await pass(failed("auth", { reason: "535 5.7.139 SmtpClientAuthentication is disabled" }));
    expect(gate.admit({ id: "m1", from })).toMatchObject({
      open: false,
      cause: "breaker",
      untilAt: Date.now() + 30_000,
    });
    expect(gate.admit({ id: "m1", from })).toHaveProperty(
      "reason",
      expect.stringContaining("SmtpClientAuthentication is disabled"),
    );
  });

  test("throttling pauses for as long as the provider says", async () => {
    await pass(failed("throttled", { retryAfterMs: 42_000 }));
    expect(gate.admit({ id: "m1", from })).toMatchObject({
      open: false,
      cause: "throttled",
      untilAt: Date.now() + 42_000,
    });
    await vi.advanceTimersByTimeAsync(42_000);
    expect(gate.admit({ id: "m1", from })).toEqual({ open: true });
  });

  test("without a word from the provider the pauses grow, and a good send ends that", async () => {
    const pauses: number[] = [];
    const throttle = async (): Promise<void> => {
      await pass(failed("throttled"));
      const admission = gate.admit({ id: "m1", from });
      if (!admission.open) pauses.push(admission.untilAt - Date.now());
      await vi.advanceTimersByTimeAsync(pauses.at(-1) ?? 0);
    };
    await throttle();
    await throttle();
    await pass(relayed);
    await throttle();
    expect(pauses).toEqual([10_000, 20_000, 10_000]);
  });

  test("many attempts throttled at once are one pause", async () => {
    for (let call = 0; call < 10; call += 1) await pass(failed("throttled"));
    expect(gate.admit({ id: "m1", from })).toMatchObject({ untilAt: Date.now() + 10_000 });
    expect(events.filter(({ type }) => type === "gate.paused")).toHaveLength(1);
  });

  test("a provider whose rate is used up, as it says itself, rests until it is renewed, and is not at fault", async () => {
    await pass({ ...relayed, restMs: 40_000 } as Outcome);
    expect(gate.admit({ id: "m1", from })).toMatchObject({ cause: "throttled", untilAt: Date.now() + 40_000 });
    await vi.advanceTimersByTimeAsync(40_000);
    expect(gate.admit({ id: "m1", from })).toEqual({ open: true });
  });

  test("a quota that is used up is waited for until it is renewed, where that is known", async () => {
    gate.close();
    const renewedAt = Date.now() + 7_200_000;
    const parts = { clock: Date.now, random: () => 0, emit: () => undefined, quotaRenewedAt: () => renewedAt };
    gate = new Gate(provider, gateSettings, parts);
    await pass(failed("quota"));
    expect(gate.admit({ id: "m1", from })).toMatchObject({ cause: "quota", untilAt: renewedAt });
  });

  test("a refused From is remembered for that From only", async () => {
    await pass(failed("sender"));
    expect(gate.admit({ id: "m1", from: from.toUpperCase() })).toMatchObject({ open: false, cause: "sender" });
    expect(gate.admit({ id: "m1", from: "other@contoso.com" })).toEqual({ open: true });
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(gate.admit({ id: "m1", from })).toEqual({ open: true });
  });
});

describe("probes", () => {
  test("a half-open breaker is probed by verify() and closes when that goes well", async () => {
    await pass(failed("auth"));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(provider.verifyCount).toBe(1);
    expect(gate.breakerState).toBe("closed");
    expect(provider.sent).toHaveLength(0);
  });

  test("a failed probe opens it again and says the stage", async () => {
    provider.verification = {
      ok: false,
      stages: ["connect"],
      failure: failureOf("outage", { stage: "greeting", reason: "silence" }),
    };
    for (let call = 0; call < 3; call += 1) await pass(failed("outage"));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(gate.breakerState).toBe("open");
    expect(events).toContainEqual({
      type: "probe.ended",
      provider: "primary",
      ok: false,
      stage: "greeting",
      reason: "greeting: silence",
    });
  });

  test("a probe that never ends has failed in its time", async () => {
    provider.verify = () => new Promise(() => undefined);
    for (let call = 0; call < 3; call += 1) await pass(failed("outage"));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(gate.breakerState).toBe("half-open");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(gate.breakerState).toBe("open");
  });

  test("a probe slower than slowAfterMs has failed", async () => {
    provider.verify = async () => {
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      return { ok: true, stages: [] };
    };
    for (let call = 0; call < 3; call += 1) await pass(failed("outage"));
    await vi.advanceTimersByTimeAsync(4_000);
    expect(gate.breakerState).toBe("open");
  });
});

test("changes of the breaker are emitted with reason and remedy", async () => {
  await pass(failed("auth", { remedy: "Set-CASMailbox …" }));
  expect(events).toContainEqual(
    expect.objectContaining({ type: "breaker.changed", from: "closed", to: "open", remedy: "Set-CASMailbox …" }),
  );
});
