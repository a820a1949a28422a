import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LimitSettings } from "../../../../src/core/index.ts";
import { mostInAny, simulate } from "./simulation.ts";
import type { Course, Mail } from "./simulation.ts";
import { NOON, World, openStore } from "./world.ts";

const MINUTE_MS = 60_000;

/** More by LIMITS_RUNS, for a long search. */
const numRuns = Number(process.env["LIMITS_RUNS"] ?? 10);

/** A failure is made smaller for a minute at most. */
const search = { numRuns, interruptAfterTimeLimit: numRuns * 6_000 };

let store: Awaited<ReturnType<typeof openStore>>;

beforeAll(async () => {
  store = await openStore();
});
afterAll(() => store.close());

async function run(settings: Partial<LimitSettings>, mails: readonly Mail[]): Promise<Course[]> {
  const world = new World(store.redis, settings);
  try {
    return await simulate(world, mails);
  } finally {
    await world.close();
  }
}

const classes = fc.constantFrom("otp", "transactional", "bulk", "bulk", "bulk" as const) as fc.Arbitrary<Mail["class"]>;
const percent = fc.constantFrom(0, 10, 30, 60);

const settingsOf = fc.record({
  perMinute: fc.integer({ min: 1, max: 25 }),
  burst: fc.option(fc.integer({ min: 1, max: 8 }), { freq: 3 }),
  keepPercent: fc.record({ otp: percent, transactional: percent }),
});

/** Mail whose trouble is of every kind, and mail without any. */
const troubled = fc.record({
  class: classes,
  arrivesAt: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5 * MINUTE_MS })),
  tookMs: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 60_000 })),
  countedAt: fc.double({ min: 0, max: 1, noNaN: true }),
  lateMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 300 }), fc.constant(15_000)),
  fate: fc.oneof(
    { weight: 7, arbitrary: fc.constant("sent" as const) },
    fc.constantFrom("unsent", "throttled", "dies", "leaves"),
  ),
}) as fc.Arbitrary<Mail>;
const smooth = troubled.map((mail): Mail => ({ ...mail, tookMs: mail.tookMs % 1_500, lateMs: 0, fate: "sent" }));

test(
  "no minute of the provider's holds more than the limit, and nobody waits for ever",
  { timeout: 300_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(settingsOf, fc.array(troubled, { minLength: 30, maxLength: 90 }), async (settings, mails) => {
        const courses = await run(settings, mails);
        expect(mostInAny(MINUTE_MS, courses)).toBeLessThanOrEqual(settings.perMinute);
        expect(courses.filter(({ mail, grantedAt }) => mail.fate !== "leaves" && grantedAt === null)).toEqual([]);
      }),
      search,
    );
  },
);

test("those who come when they were told go in the order in which they asked", { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(settingsOf, fc.array(smooth, { minLength: 30, maxLength: 90 }), async (settings, mails) => {
      const courses = await run(settings, mails);
      // Bulk has one lane; the others may find an earlier slot in another.
      const bulk = courses.filter(({ mail }) => mail.class === "bulk");
      const inOrder = bulk.toSorted((a, b) => a.mail.arrivesAt - b.mail.arrivesAt || a.number - b.number);
      const grants = inOrder.map(({ grantedAt }) => grantedAt ?? Infinity);
      expect(grants).toEqual(grants.toSorted((one, other) => one - other));
    }),
    search,
  );
});

const flood = (count: number, kind: Partial<Mail> = {}): Mail[] =>
  Array.from({ length: count }, (_, i) => ({
    class: "bulk",
    arrivesAt: 0,
    tookMs: 300 + ((i * 397) % 900),
    countedAt: 0.5,
    lateMs: (i * 31) % 80,
    fate: "sent",
    ...kind,
  }));

/** What went in the minutes that were full, of what the lane allows; the last one is not full. */
function shareUsed(courses: readonly Course[], perMinute: number): number {
  const grantedAt = courses.map((course) => course.grantedAt ?? Infinity).toSorted((a, b) => a - b);
  const first = grantedAt[0]!;
  const last = grantedAt.at(-1)!;
  const minutes = (last - first) / MINUTE_MS;
  return grantedAt.filter((at) => at < last).length / minutes / perMinute;
}

test.each([
  ["all at once", { perMinute: 30 }, 30],
  ["evenly", { perMinute: 30, burst: 1 }, 30],
  ["in its lane", { perMinute: 30, keepPercent: { otp: 10, transactional: 30 } }, 18],
])("a line of bulk uses what there is, %s, and asks little", { timeout: 60_000 }, async (_how, settings, allowed) => {
  const courses = await run(settings, flood(allowed * 8));
  expect(shareUsed(courses, allowed)).toBeGreaterThan(0.95);
  expect(mostInAny(MINUTE_MS, courses)).toBeLessThanOrEqual(30);
  const asked = courses.reduce((sum, { askedCount }) => sum + askedCount, 0);
  // Half-way twice or so, then at its slot, and again where another was late.
  expect(asked / courses.length).toBeLessThan(5);
});

test("while bulk fills its lane, codes go at once as long as they fit into theirs", { timeout: 60_000 }, async () => {
  const codes = flood(12, { class: "otp" }).map((mail, i) => ({ ...mail, arrivesAt: 5_000 + i * 21_000 }));
  const settings = { perMinute: 30, keepPercent: { otp: 10, transactional: 0 } };
  const courses = await run(settings, [...flood(150), ...codes]);
  const asked = courses.filter(({ mail }) => mail.class === "otp").map(({ askedCount }) => askedCount);
  expect(asked).toEqual(codes.map(() => 1));
});

test(
  "more codes than fit wait for a minute at most, where other lanes are free within it",
  { timeout: 60_000 },
  async () => {
    const codes = flood(9, { class: "otp" }).map((mail) => ({ ...mail, arrivesAt: 90_000 }));
    const settings = { perMinute: 30, keepPercent: { otp: 10, transactional: 10 } };
    const courses = await run(settings, [...flood(150), ...codes]);
    const waitsMs = courses.slice(150).map(({ grantedAt }) => (grantedAt ?? Infinity) - NOON - 90_000);
    expect(Math.max(...waitsMs)).toBeLessThan(62_000);
  },
);
