import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { conflictOf, problemOfPlan } from "../../../src/control/cutover-plan.ts";
import { NO_FIGURES, advance, percentOf } from "../../../src/control/cutover.ts";
import type { Cutover, CutoverFigures, CutoverPlan } from "../../../src/control/cutover.ts";
import { planOf } from "./plans.ts";

const MINUTE_MS = 60_000;

function cutoverOf(plan: CutoverPlan, more: Partial<Cutover> = {}): Cutover {
  const begun = { by: "ann@desk", reason: "cheaper", phase: "running", step: 0, startedAt: 0, since: 0 } as const;
  return { ...begun, plan, version: 1, note: "", ...more };
}

const well = (okCount: number): CutoverFigures => ({ ...NO_FIGURES, okCount });

describe("a step", () => {
  const cutover = cutoverOf(planOf({ everyMs: 10 * MINUTE_MS, leastCount: 50 }));
  const cases: readonly [rule: string, figures: CutoverFigures, now: number, want: Partial<Cutover>][] = [
    ["stays for its time", well(1_000), 10 * MINUTE_MS - 1, { phase: "running", step: 0 }],
    ["goes on after it", well(50), 10 * MINUTE_MS, { phase: "running", step: 1, since: 10 * MINUTE_MS }],
    ["waits for its messages, however long it takes", well(49), 1_000 * MINUTE_MS, { phase: "running", step: 0 }],
    ["bears failures up to the guard", { ...NO_FIGURES, okCount: 49, failedCount: 1 }, 1, { phase: "running" }],
    ["goes back above it", { ...NO_FIGURES, okCount: 48, failedCount: 2 }, 1, { phase: "rolled back" }],
    ["goes back early where the rest cannot help", { ...NO_FIGURES, failedCount: 2 }, 1, { phase: "rolled back" }],
    ["does not judge by the first failure", { ...NO_FIGURES, failedCount: 1 }, 1, { phase: "running" }],
    ["bears 5 % of slow ones", { okCount: 100, failedCount: 0, slowCount: 5 }, 1, { phase: "running" }],
    ["goes back when its p95 is slow", { okCount: 100, failedCount: 0, slowCount: 6 }, 1, { phase: "rolled back" }],
    ["looks at the guard before its time", { okCount: 9, failedCount: 9, slowCount: 0 }, 1e9, { phase: "rolled back" }],
  ];
  test.each(cases)("%s", (_rule, figures, now, want) => {
    expect(advance(cutover, figures, now)).toMatchObject(want);
  });

  test("says the figures that it went back for", () => {
    const { note } = advance(cutover, { okCount: 90, failedCount: 10, slowCount: 0 }, 1);
    expect(note).toBe("10 of 100 failed, more than 2 %");
  });

  test("of the last one makes it done, and done it stays, whatever comes then", () => {
    const last = cutoverOf(cutover.plan, { step: 3 });
    const done = advance(last, well(50), 10 * MINUTE_MS);
    expect(done).toMatchObject({ phase: "done", step: 3 });
    expect(percentOf(done)).toBe(100);
    expect(advance(done, { okCount: 0, failedCount: 100, slowCount: 0 }, 1e9)).toBe(done);
  });

  test("without messages is left by time alone where none are asked for", () => {
    const quiet = cutoverOf(planOf({ everyMs: 10 * MINUTE_MS, leastCount: 0 }));
    expect(advance(quiet, NO_FIGURES, 10 * MINUTE_MS)).toMatchObject({ step: 1 });
  });
});

const anyPlan: fc.Arbitrary<CutoverPlan> = fc
  .record({
    early: fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 5 }),
    everyMs: fc.integer({ min: 1_000, max: 100_000 }),
    guardErrorsPercent: fc.integer({ min: 0, max: 50 }),
    leastCount: fc.integer({ min: 0, max: 60 }),
  })
  .map(({ early, ...rest }) => planOf({ ...rest, steps: [...early.toSorted((a, b) => a - b), 100] }));

/** Time that passes, and what is seen in it. */
const anyMoments = fc.array(
  fc.record({
    waitMs: fc.integer({ min: 0, max: 60_000 }),
    okCount: fc.integer({ min: 0, max: 40 }),
    failedCount: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 10 })),
    slowCount: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 10 })),
  }),
  { minLength: 1, maxLength: 120 },
);

/** What is wrong with a step from one to the next: more than one, before its time, without its messages, on a broken guard. */
function faultsOfStep(from: Cutover, to: Cutover, seen: CutoverFigures): string[] {
  const { plan } = from;
  const count = seen.okCount + seen.failedCount;
  const allowedCount = (plan.guardErrorsPercent / 100) * Math.max(count, plan.leastCount);
  return [
    ...(to.step === from.step + (to.phase === "done" ? 0 : 1) ? [] : ["steps"]),
    ...(to.since - from.since >= plan.everyMs ? [] : ["time"]),
    ...(count >= plan.leastCount ? [] : ["messages"]),
    ...(seen.failedCount <= allowedCount + 1e-9 ? [] : ["guard"]),
  ];
}

test("whatever is seen, no step comes before its time, and a broken guard always ends at 0 %", () => {
  fc.assert(
    fc.property(anyPlan, anyMoments, (plan, moments) => {
      let cutover = cutoverOf(plan);
      let seen = NO_FIGURES;
      let now = 0;
      for (const moment of moments) {
        now += moment.waitMs;
        seen = {
          okCount: seen.okCount + moment.okCount,
          failedCount: seen.failedCount + moment.failedCount,
          slowCount: seen.slowCount + Math.min(moment.slowCount, moment.okCount),
        };
        const next = advance(cutover, seen, now);
        if (next === cutover) continue;
        expect(cutover.phase).toBe("running");
        expect(next.since).toBe(now);
        expect(next.phase === "rolled back" ? percentOf(next) : 0).toBe(0);
        expect(next.phase === "rolled back" ? [] : faultsOfStep(cutover, next, seen)).toEqual([]);
        expect(percentOf(next)).toBeLessThanOrEqual(plan.steps[Math.floor(now / plan.everyMs)] ?? 100);
        cutover = next;
        seen = NO_FIGURES;
      }
    }),
  );
});

test("with enough mail that goes well it ends, after as many steps as it has", () => {
  fc.assert(
    fc.property(anyPlan, (plan) => {
      let cutover = cutoverOf(plan);
      for (const [index] of plan.steps.entries()) {
        expect(percentOf(cutover)).toBe(plan.steps[index]);
        cutover = advance(cutover, well(plan.leastCount), (index + 1) * plan.everyMs);
      }
      expect(cutover.phase).toBe("done");
    }),
  );
});

describe("a plan is refused by the field, the value and the rule", () => {
  const bad: readonly [change: Partial<CutoverPlan>, want: string][] = [
    [{ steps: [] }, "steps: there are none"],
    [{ steps: [5, 25] }, "steps: 5,25 do not end with 100"],
    [{ steps: [25, 5, 100] }, "steps: 25,5,100 do not grow"],
    [{ steps: [0, 100] }, "steps: 0,100 are not all above 0 and up to 100 percent"],
    [{ steps: [5, 101] }, "steps: 5,101 are not all above 0 and up to 100 percent"],
    [{ everyMs: 10 }, "everyMs: 10 is not from 1000 to 604800000"],
    [{ everyMs: Number.NaN }, "everyMs: NaN is not from 1000 to 604800000"],
    [{ guardErrorsPercent: 120 }, "guardErrorsPercent: 120 is not from 0 to 100"],
    [{ guardDelayMs: 0 }, "guardDelayMs: 0 is not from 1 to 259200000"],
    [{ leastCount: 1.5 }, "leastCount: 1.5 is no whole number"],
    [{ when: { class: "urgent" } }, 'when.class: "urgent" is not one of otp, transactional, bulk'],
    [{ when: { senderDomain: "ann@contoso.com" } }, 'when.senderDomain: "ann@contoso.com" is no domain'],
    [{ when: { recipientDomain: "Contoso.com" } }, 'when.recipientDomain: "Contoso.com" is no domain in lower case'],
    [{ when: { tag: "" } }, 'when.tag: "" has not 1 to 200 characters'],
  ];
  test.each(bad)("%j", (change, want) => {
    expect(problemOfPlan(planOf(change))).toContain(want);
  });

  test("and a good one is not", () => {
    expect(problemOfPlan(planOf({ when: { class: "bulk", senderDomain: "*.contoso.com", tag: "x" } }))).toBeNull();
  });
});

describe("two cutovers get in each other's way", () => {
  const cases: readonly [rule: string, one: Partial<CutoverPlan>, other: Partial<CutoverPlan>, want: boolean][] = [
    ["to one provider", { when: { class: "otp" } }, { when: { class: "bulk" } }, true],
    ["of all mail", { to: "relay" }, {}, true],
    ["of a class and all mail", { to: "relay" }, { when: { class: "bulk" } }, true],
    ["not of two classes", { to: "relay", when: { class: "otp" } }, { when: { class: "bulk" } }, false],
    ["not of two tenants", { to: "relay", when: { tenant: "a" } }, { when: { tenant: "b" } }, false],
    ["of two tags, since a message may have both", { to: "relay", when: { tag: "a" } }, { when: { tag: "b" } }, true],
    ["of a class and a tenant", { to: "relay", when: { class: "otp" } }, { when: { tenant: "b" } }, true],
    [
      "of a domain and those below it",
      { to: "relay", when: { senderDomain: "*.contoso.com" } },
      { when: { senderDomain: "mail.contoso.com" } },
      true,
    ],
    [
      "not of two domains",
      { to: "relay", when: { senderDomain: "contoso.com" } },
      { when: { senderDomain: "*.contoso.com" } },
      false,
    ],
  ];
  test.each(cases)("%s", (_rule, one, other, want) => {
    const running = { sendgrid: cutoverOf(planOf(other)) };
    expect(conflictOf(planOf(one), running) !== null).toBe(want);
    const over = { sendgrid: cutoverOf(planOf(other), { phase: "stopped" }) };
    expect(conflictOf(planOf(one), over)).toBeNull();
  });
});
