import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CAUSES, STAGES } from "../../../src/core/index.ts";
import type { Cause, Outcome, Stage } from "../../../src/core/index.ts";
import type { FleetState } from "../../../src/gate/fleet/fleet.ts";
import { Gate } from "../../../src/gate/gate.ts";
import type { Passage } from "../../../src/gate/passage.ts";
import { gateSettings } from "../delivery/round-of.ts";
import { ScriptedProvider, failed, failureOf, relayed } from "../scripted-provider.ts";
import { ScriptedFleet } from "./scripted-fleet.ts";

const CAUSE_NAMES = Object.keys(CAUSES) as Cause[];
const from = "app@contoso.com";
const HOUR_MS = 3_600_000;
/** Longer than anything here that a gate may shut for: an hour that a provider asks for, or that a From is remembered. */
const PEACE_MS = 1.2 * HOUR_MS;

/** What may happen at a gate, by anybody, in any order. */
type Event =
  | { readonly kind: "begins" }
  | { readonly kind: "comes to"; readonly which: number; readonly stage: Stage }
  | { readonly kind: "ends"; readonly which: number; readonly cause: Cause | "relayed"; readonly retryAfterMs: number }
  | { readonly kind: "time"; readonly ms: number }
  | { readonly kind: "probes"; readonly ok: boolean }
  | { readonly kind: "fleet"; readonly state: FleetState["kind"] }
  | { readonly kind: "connection"; readonly there: boolean };

const which = fc.nat(9);
const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  fc.constant({ kind: "begins" } as const),
  fc.record({ kind: fc.constant("comes to" as const), which, stage: fc.constantFrom<Stage>(...STAGES) }),
  fc.record({
    kind: fc.constant("ends" as const),
    which: fc.nat(2),
    // Enough of what opens a breaker at once, so that something happens.
    cause: fc.constantFrom<Cause | "relayed">("relayed", "auth", "auth", "auth", ...CAUSE_NAMES),
    retryAfterMs: fc.constantFrom(0, 5_000, HOUR_MS),
  }),
  fc.record({ kind: fc.constant("time" as const), ms: fc.constantFrom(10, 300, 2_000, 20_000, 400_000) }),
  fc.record({ kind: fc.constant("probes" as const), ok: fc.boolean() }),
  fc.record({
    kind: fc.constant("fleet" as const),
    state: fc.constantFrom<FleetState["kind"]>("closed", "open", "ramp"),
  }),
  fc.record({ kind: fc.constant("connection" as const), there: fc.boolean() }),
);

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A gate in the middle of whatever happens. */
class Life {
  readonly fleet = new ScriptedFleet();
  readonly provider = new ScriptedProvider("primary", [relayed], { maxConnections: 3 });
  readonly gate: Gate;
  readonly #passages: Passage[] = [];

  constructor() {
    const breaker = { ...gateSettings.breaker, rampPercents: [5, 25, 50], rampStepMs: 5_000 };
    const parts = { clock: Date.now, random: () => 0.5, emit: () => undefined, fleet: this.fleet };
    this.gate = new Gate(this.provider, { ...gateSettings, breaker }, parts);
  }

  async happens(event: Event): Promise<void> {
    switch (event.kind) {
      case "begins":
        if (this.#passages.length < 10) this.#passages.push(this.gate.begin(from));
        return;
      case "comes to":
        return this.#passages[event.which]?.onStage(event.stage);
      case "ends":
        return this.#end(event.which, outcomeOf(event));
      case "time":
        await vi.advanceTimersByTimeAsync(event.ms);
        return;
      case "probes":
        this.provider.verification = event.ok
          ? { ok: true, stages: [] }
          : { ok: false, stages: [], failure: failureOf("auth", { stage: "auth" }) };
        return;
      case "fleet":
        return this.fleet.become(this.#stateOf(event.state));
      case "connection":
        this.fleet.connected = event.there;
    }
  }

  /** All trouble ends: attempts end, probes go well, and so says the fleet, or it cannot be heard. */
  async calmDown(isConnected: boolean): Promise<void> {
    while (this.#passages.length > 0) await this.#end(0, relayed);
    this.provider.verification = { ok: true, stages: [] };
    this.fleet.connected = isConnected;
    this.fleet.become({ kind: "closed" });
    this.gate.admit({ id: "m", from });
    await vi.advanceTimersByTimeAsync(PEACE_MS);
  }

  async #end(index: number, outcome: Outcome): Promise<void> {
    const [passage] = this.#passages.splice(index, 1);
    await passage?.end(outcome);
  }

  #stateOf(kind: FleetState["kind"]): FleetState {
    if (kind === "open") return { kind, reason: "silence", remedy: null, untilAt: Date.now() + 5_000 };
    return kind === "ramp" ? { kind, startedAt: Date.now() } : { kind };
  }
}

function outcomeOf({ cause, retryAfterMs }: Extract<Event, { kind: "ends" }>): Outcome {
  if (cause === "relayed") return relayed;
  return failed(cause, retryAfterMs === 0 ? {} : { retryAfterMs });
}

test("whatever happens, a shut gate names an instant ahead that is not far away, and is never shut for good", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyEvent, { maxLength: 60 }), fc.boolean(), async (events, isConnected) => {
      const life = new Life();
      for (const event of events) {
        await life.happens(event);
        for (const isAlone of [false, true]) {
          const admission = life.gate.admit({ id: "m", from, isAlone });
          if (admission.open) continue;
          expect(admission.reason).not.toBe("");
          expect(admission.untilAt).toBeGreaterThan(Date.now() - 1);
          expect(admission.untilAt - Date.now()).toBeLessThanOrEqual(HOUR_MS);
        }
        expect(life.gate.percent).toBeGreaterThanOrEqual(0);
        expect(life.gate.percent).toBeLessThanOrEqual(100);
      }
      await life.calmDown(isConnected);
      expect(life.gate.admit({ id: "m", from })).toEqual({ open: true });
      expect(life.gate.percent).toBe(100);
      life.gate.close();
    }),
    { numRuns: 150 },
  );
});

test("whoever is alone is let through wherever the gate would only spare its provider", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyEvent, { maxLength: 40 }), async (events) => {
      const life = new Life();
      for (const event of events) {
        await life.happens(event);
        const shut = life.gate.admit({ id: "m", from, isAlone: true });
        // By few connections on the way back; by nothing else but what keeps everybody out.
        const cause = shut.open ? "open" : shut.cause;
        expect(["open", "breaker", "throttled", "quota", "sender", "ramp"]).toContain(cause);
      }
      life.gate.close();
    }),
    { numRuns: 100 },
  );
});
