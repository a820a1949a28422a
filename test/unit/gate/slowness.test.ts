import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { Slowness } from "../../../src/gate/slowness.ts";
import type { SlownessChange, SlownessSettings, Timing } from "../../../src/gate/slowness.ts";

const settings: SlownessSettings = { factor: 4, leastMs: 500, windowMs: 30_000, minimumCalls: 20 };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

type Change = SlownessChange & { readonly at: number };

/** A provider that gets mail at a steady rate, as much of it as its share is, on a clock of its own. */
class Upstream {
  now = 0;
  readonly changes: Change[] = [];
  readonly slowness: Slowness;
  readonly #underWay: { readonly endAt: number; readonly ends: (timing: Timing) => void; readonly timing: Timing }[] =
    [];
  #due = 0;

  constructor(more: Partial<SlownessSettings> = {}) {
    this.slowness = new Slowness(
      { ...settings, ...more },
      { clock: () => this.now, onChange: (change) => this.changes.push({ ...change, at: this.now }) },
    );
  }

  get isDegraded(): boolean {
    return this.slowness.share < 1;
  }

  /** Lets time pass with messages `everyMs`, each short of its content for the time that `latency` says. */
  run(forMs: number, everyMs: number, latency: () => number, ends = (timing: Timing) => timing.reachedContent()): void {
    const untilAt = this.now + forMs;
    for (let at = this.now + everyMs; at <= untilAt; at += everyMs) {
      this.#finish(at);
      this.now = at;
      this.#due += this.slowness.share;
      if (this.#due < 1) continue;
      this.#due -= 1;
      this.#underWay.push({ endAt: at + latency(), ends, timing: this.slowness.begin() });
    }
    this.#finish(untilAt);
    this.now = untilAt;
  }

  #finish(untilAt: number): void {
    while (this.#underWay.some(({ endAt }) => endAt <= untilAt)) {
      const next = this.#underWay.reduce((first, attempt) => (attempt.endAt < first.endAt ? attempt : first));
      this.#underWay.splice(this.#underWay.indexOf(next), 1);
      this.now = next.endAt;
      next.ends(next.timing);
    }
  }
}

let upstream: Upstream;

beforeEach(() => {
  upstream = new Upstream();
});

const steadily = (ms: number) => (): number => ms;
const never = steadily(Infinity);

describe("what is slow", () => {
  test("several times its usual is, and the share falls step by step to a tenth", () => {
    upstream.run(10 * MINUTE, 200, steadily(200));
    expect(upstream.isDegraded).toBe(false);
    upstream.run(5 * MINUTE, 200, steadily(2_400));
    expect(upstream.changes).toMatchObject([
      { from: 1, to: 0.5 },
      { from: 0.5, to: 0.25 },
      { from: 0.25, to: 0.1 },
    ]);
    expect(upstream.slowness.share).toBe(0.1);
    expect(upstream.slowness.reason).toMatch(/^p95 2\.[34] s, usually 0\.(19|2) s$/);
  });

  test("attempts that hang are seen while they hang", () => {
    upstream.run(10 * MINUTE, 200, steadily(200));
    upstream.run(5_000, 200, never);
    expect(upstream.changes).toMatchObject([{ from: 1, to: 0.5 }]);
    upstream.run(MINUTE, 200, never);
    expect(upstream.slowness.share).toBe(0.1);
  });

  test("many times its usual is not, as long as it is fast", () => {
    upstream.run(10 * MINUTE, 200, steadily(10));
    upstream.run(20_000, 200, steadily(500));
    expect(upstream.changes).toEqual([]);
    upstream.run(MINUTE, 200, steadily(530));
    expect(upstream.isDegraded).toBe(true);
  });

  test("a few slow ones among many are not", () => {
    let call = 0;
    upstream.run(20 * MINUTE, 200, () => ((call += 1) % 25 === 0 ? 20_000 : 200));
    expect(upstream.changes).toEqual([]);
  });

  test("fewer attempts than the window must hold say nothing", () => {
    upstream.run(10 * MINUTE, 200, steadily(200));
    upstream.run(30_000, 30_000, steadily(200));
    upstream.run(MINUTE, 2_000, steadily(5_000));
    expect(upstream.changes).toEqual([]);
    upstream.run(MINUTE, 1_000, steadily(5_000));
    expect(upstream.isDegraded).toBe(true);
  });

  test("before its usual is known, the factor on the least time is the limit", () => {
    upstream.run(30_000, 1_000, steadily(1_900));
    expect(upstream.changes).toEqual([]);
    upstream.run(30_000, 1_000, steadily(2_200));
    expect(upstream.isDegraded).toBe(true);
    expect(upstream.slowness.reason).toMatch(/^p95 2\.[12] s, its usual is not known yet$/);
  });

  test("what breaks off early is not taken for fast", () => {
    upstream.run(10 * MINUTE, 200, steadily(200));
    const refusedAtOnce = (timing: Timing): void => timing.end();
    upstream.run(4 * MINUTE, 200, steadily(5), refusedAtOnce);
    expect(upstream.changes).toEqual([]);
    for (let call = 0; call < 20; call += 1) {
      upstream.run(1_000, 50, steadily(5), refusedAtOnce);
      upstream.run(100, 100, steadily(2_000));
    }
    upstream.run(2_000, 50, steadily(5), refusedAtOnce);
    expect(upstream.changes).toMatchObject([{ from: 1, to: 0.5 }]);
  });

  test("what breaks off late is slow", () => {
    upstream.run(10 * MINUTE, 200, steadily(200));
    // One after the other, so that none is seen while it is under way.
    upstream.run(30_000, 1_000, steadily(999), (timing) => timing.end());
    expect(upstream.isDegraded).toBe(true);
  });

  test("a slow provider's share falls to a tenth where that leaves fewer attempts than the window must hold", () => {
    upstream.run(10 * MINUTE, 1_000, steadily(200));
    upstream.run(3 * MINUTE, 1_000, steadily(2_400));
    expect(upstream.slowness.share).toBe(0.1);
  });

  test("an attempt counts once, however often it is ended", () => {
    upstream = new Upstream({ minimumCalls: 5 });
    const timing = upstream.slowness.begin();
    upstream.now += 3_000;
    for (let times = 0; times < 10; times += 1) {
      timing.reachedContent();
      timing.end();
    }
    expect(upstream.isDegraded).toBe(false);
  });
});

describe("the way back", () => {
  test("is step by step, and told in words", () => {
    upstream.run(10 * MINUTE, 200, steadily(200));
    upstream.run(5 * MINUTE, 200, steadily(2_400));
    upstream.changes.length = 0;
    upstream.run(2 * MINUTE, 200, steadily(200));
    expect(upstream.changes.map(({ to }) => to)).toEqual([0.25, 0.5, 1]);
    const [first, , last] = upstream.changes;
    expect((last?.at ?? Infinity) - (first?.at ?? 0)).toBeLessThan(settings.windowMs);
    expect(upstream.changes.at(-1)?.reason).toMatch(/^p95 0\.(19|2) s, usually 0\.(19|2) s$/);
  });

  test("a hiccup of two seconds costs one step", () => {
    upstream.run(10 * MINUTE, 200, steadily(200));
    upstream.run(2_000, 200, steadily(3_000));
    upstream.run(MINUTE, 200, steadily(200));
    expect(upstream.changes.map(({ to }) => to)).toEqual([0.5, 1]);
  });

  test("what led to a step counts for no other", () => {
    upstream.run(10 * MINUTE, 200, steadily(200));
    upstream.run(30_000, 30_000, steadily(200));
    upstream.run(21_000, 1_000, steadily(900));
    expect(upstream.slowness.share).toBe(0.5);
    upstream.run(15_000, 200, steadily(200));
    expect(upstream.changes.map(({ to }) => to)).toEqual([0.5, 1]);
  });

  test("is not begun while attempts hang, but the share falls no further for those from before it fell", () => {
    upstream.run(10 * MINUTE, 200, steadily(200));
    upstream.run(2_000, 200, never);
    upstream.run(MINUTE, 200, steadily(200));
    expect(upstream.changes.map(({ to }) => to)).toEqual([0.5]);
  });

  test("is not begun between half of the limit and the limit", () => {
    upstream.run(10 * MINUTE, 200, steadily(200));
    upstream.run(5 * MINUTE, 200, steadily(2_400));
    upstream.run(20 * MINUTE, 200, steadily(600));
    expect(upstream.slowness.share).toBe(0.1);
  });

  test("where too little mail comes to tell, more of it is let through", () => {
    upstream.run(10 * MINUTE, 200, steadily(200));
    upstream.run(5 * MINUTE, 200, steadily(2_400));
    upstream.run(5 * MINUTE, MINUTE, steadily(200));
    expect(upstream.slowness.share).toBe(1);
    expect(upstream.slowness.reason).toContain("no attempts to tell");
  });

  test("unless that little is slow", () => {
    upstream.run(10 * MINUTE, 200, steadily(200));
    upstream.run(5 * MINUTE, 200, steadily(2_400));
    upstream.run(HOUR, 2_000, steadily(5_000));
    expect(upstream.slowness.share).toBe(0.1);
  });
});

describe("what is usual", () => {
  test("is not learned from a brown-out, however long within the day", () => {
    upstream.run(5 * MINUTE, 1_000, steadily(200));
    upstream.run(4 * HOUR, 1_000, steadily(2_400));
    expect(upstream.slowness.share).toBe(0.1);
    upstream.run(10 * MINUTE, 200, steadily(200));
    expect(upstream.slowness.share).toBe(1);
    expect(upstream.slowness.reason).toMatch(/usually 0\.(19|2) s$/);
  });

  test("is what it has been slow at for long, once what was learned before has faded", () => {
    upstream.run(5 * MINUTE, 1_000, steadily(200));
    upstream.run(5 * HOUR, 1_000, steadily(1_500));
    expect(upstream.slowness.share).toBe(0.1);
    upstream.run(6 * HOUR, 1_000, steadily(1_500));
    expect(upstream.slowness.share).toBe(1);
    upstream.run(MINUTE, 1_000, steadily(9_000));
    expect(upstream.slowness.reason).toMatch(/usually 1\.[45] s$/);
  });

  test("is learned from attempts that take longer than the window, too", () => {
    upstream.run(HOUR, 1_000, steadily(1.5 * settings.windowMs));
    expect(upstream.slowness.share).toBe(1);
  });

  test("follows a provider that gets slower little by little", () => {
    for (let ms = 200; ms < 2_000; ms *= 1.4) upstream.run(HOUR, 1_500, steadily(ms));
    expect(upstream.changes).toEqual([]);
  });
});

describe("whatever the provider does", () => {
  const everyMs = fc.integer({ min: 250, max: 1_000 });
  const jitter = fc.integer({ min: 1, max: 1_000_000 }).map((seed) => {
    let state = seed;
    // From a half to the whole (a linear congruential generator).
    return () => (state = (state * 16_807) % 2_147_483_647) / 4_294_967_294 + 0.5;
  });

  test("a steady one is never degraded, as far as that can be known", () => {
    const speedMs = fc.integer({ min: 1, max: 60_000 });
    fc.assert(
      fc.property(speedMs, everyMs, jitter, (speed, every, random) => {
        const steady = new Upstream();
        steady.run(10 * MINUTE, every, () => speed * random());
        const firstLimitMs = settings.factor * settings.leastMs;
        expect(steady.changes.filter(() => speed <= firstLimitMs)).toEqual([]);
        // What is slower than the first limit is seen as that until its usual is known, and never again.
        steady.run(10 * MINUTE, every, () => speed * random());
        steady.changes.length = 0;
        steady.run(10 * MINUTE, every, () => speed * random());
        expect(steady.changes).toEqual([]);
        expect(steady.isDegraded).toBe(false);
      }),
      { numRuns: 12 },
    );
  });

  test("ten times its usual is found within a window, hanging or not, and so is its end", () => {
    const usualMs = fc.integer({ min: 60, max: 2_000 });
    fc.assert(
      fc.property(usualMs, fc.integer({ min: 100, max: 500 }), jitter, fc.boolean(), (usual, every, random, hangs) => {
        const provider = new Upstream();
        provider.run(5 * MINUTE, every, () => usual * random());
        expect(provider.isDegraded).toBe(false);
        provider.run(settings.windowMs, every, () => (hangs ? settings.windowMs : 20 * usual * random()));
        expect(provider.isDegraded).toBe(true);
        // The last slow ones end; then a window for each step is enough.
        provider.run(2 * settings.windowMs + 3 * settings.windowMs, every, () => usual * random());
        expect(provider.slowness.share).toBe(1);
      }),
      { numRuns: 20 },
    );
  });

  test("its share moves by one step at a time, never sooner than a third of the window after the last", () => {
    const spell = fc.record({
      forMs: fc.integer({ min: 100, max: 40_000 }),
      everyMs,
      latencyMs: fc.constantFrom(5, 200, 700, 2_500, 20_000, Infinity),
      ends: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(spell, { minLength: 1, maxLength: 40 }), (spells) => {
        const provider = new Upstream();
        for (const { forMs, everyMs: every, latencyMs, ends } of spells) {
          provider.run(forMs, every, steadily(latencyMs), (timing) => (ends ? timing.end() : timing.reachedContent()));
        }
        const shares = [1, 0.5, 0.25, 0.1];
        let before = { at: -Infinity, to: 1 };
        for (const { from, to, at, reason } of provider.changes) {
          expect(from).toBe(before.to);
          expect(Math.abs(shares.indexOf(to) - shares.indexOf(from))).toBe(1);
          expect(at - before.at).toBeGreaterThanOrEqual(settings.windowMs / 3);
          expect(reason).toMatch(/^(p95 [\d.]+ s|no attempts to tell), (usually [\d.]+ s|its usual is not known yet)$/);
          before = { at, to };
        }
      }),
      { numRuns: 100 },
    );
  });
});
