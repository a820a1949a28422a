import * as z from "zod";
import type { ThrottlePolicy } from "../core/index.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const durationMs = (min: number, max: number) => z.int().min(min).max(max);
const percent = (min: number, max: number) => z.number().min(min).max(max);

/** How workers run. */
export const deliverySchema = z
  .strictObject({
    concurrency: z.int().min(1).max(10_000).default(100).describe("Messages a worker has under way at once."),
    shutdownMs: durationMs(0, 10 * MINUTE)
      .default(25 * SECOND)
      .describe("Time that attempts under way get to end when the process is told to stop."),
    slowAfterMs: durationMs(100, 5 * MINUTE)
      .default(2 * SECOND)
      .describe("An attempt still short of its content after this time counts as a failure of its provider."),
    attemptTimeoutMs: durationMs(SECOND, HOUR)
      .default(3 * MINUTE)
      .describe("Time one attempt may take in all. Past its content it then ends as uncertain."),
  })
  .refine((delivery) => delivery.slowAfterMs < delivery.attemptTimeoutMs, {
    path: ["slowAfterMs"],
    error: "is not below delivery.attemptTimeoutMs",
  })
  .prefault({});

/** When a provider's breaker opens, and how it comes back. */
export const breakerSchema = z
  .strictObject({
    windowMs: durationMs(SECOND, HOUR)
      .default(10 * SECOND)
      .describe("Time over which calls are counted."),
    minimumCalls: z.int().min(1).max(100_000).default(5).describe("Calls the window must hold before it may open."),
    openAtPercent: percent(1, 100)
      .default(50)
      .describe("Failures, in percent of the calls in the window, that open it."),
    consecutiveFailures: z
      .int()
      .min(1)
      .max(100_000)
      .default(3)
      .describe("Failures in a row, within the window, that open it whatever the share is."),
    openMs: durationMs(100, DAY)
      .default(5 * SECOND)
      .describe("Time it stays open before the first probe."),
    openMaxMs: durationMs(100, DAY)
      .default(35 * SECOND)
      .describe("Longest time between two probes. With the ramp after it, all mail is back within a minute."),
    openGrowth: z
      .number()
      .min(1)
      .max(10)
      .default(2)
      .describe("Factor by which the open time grows with each failed probe."),
    jitterPercent: percent(0, 50)
      .default(20)
      .describe("Open times differ by up to so many percent, so that workers do not probe at once."),
    probeTimeoutMs: durationMs(100, 5 * MINUTE)
      .default(10 * SECOND)
      .describe("Time one probe may take."),
    authOpenMs: durationMs(SECOND, DAY)
      .default(40 * SECOND)
      .describe("Least time open after a failure of credentials: people must act first."),
    uncertainOpenMs: durationMs(SECOND, DAY)
      .default(30 * SECOND)
      .describe("Least time open after lost answers to the content: each may cost a copy, and no probe can see them."),
    rampPercents: z
      .array(percent(1, 99))
      .max(20)
      .refine((steps) => steps.every((step, index) => index === 0 || step > (steps[index - 1] ?? 0)), "do not grow")
      .default([5, 25, 50])
      .describe("Share of its mail that a provider gets after a good probe, step by step; then all of it."),
    rampStepMs: durationMs(100, HOUR)
      .default(5 * SECOND)
      .describe("Time of each of these steps."),
  })
  .refine((breaker) => breaker.openMs <= breaker.openMaxMs, {
    path: ["openMs"],
    error: "is above breaker.openMaxMs",
  })
  .prefault({});

/** How the workers of a fleet agree. */
export const fleetSchema = z
  .strictObject({
    quorum: z
      .union([z.literal("auto"), z.int().min(1).max(10_000)], { error: "is not auto or a number from 1" })
      .default("auto")
      .describe("Workers whose breakers must be open for all to shut: `auto` is 1 of one or two, 2 of more."),
  })
  .prefault({});

/** When a provider that still answers, but slowly, gets less mail. */
export const brownoutSchema = z
  .strictObject({
    factor: z
      .number()
      .min(1.5)
      .max(100)
      .default(4)
      .describe("How many times above its own usual its p95 must be, to the stage before the content."),
    leastMs: durationMs(10, 5 * MINUTE)
      .default(500)
      .describe("Below this no p95 counts as slow, however fast it usually is."),
    windowMs: durationMs(SECOND, HOUR).default(MINUTE).describe("Time over which the present p95 is taken."),
    minimumCalls: z.int().min(5).max(100_000).default(10).describe("Attempts the window must hold for it."),
  })
  .prefault({});

/** How long a provider rests after it said that we are too fast, where it names no time itself. */
export const throttleSchema = z
  .strictObject({
    pauseMs: durationMs(100, DAY)
      .default(10 * SECOND)
      .describe("First pause."),
    pauseMaxMs: durationMs(100, DAY)
      .default(5 * MINUTE)
      .describe("Longest pause."),
    growth: z.number().min(1).max(10).default(2).describe("Factor by which the pause grows while it goes on."),
  })
  .refine((throttle) => throttle.pauseMs <= throttle.pauseMaxMs, {
    path: ["pauseMs"],
    error: "is above throttle.pauseMaxMs",
  })
  .prefault({});

export const senderSchema = z
  .strictObject({
    rememberMs: durationMs(0, 7 * DAY)
      .default(HOUR)
      .describe(
        "Time for which a provider's refusal of a From address is remembered, and the provider left out for it.",
      ),
  })
  .prefault({});

const delaysMs = (defaults: readonly number[]) =>
  z
    .array(durationMs(0, DAY))
    .min(1)
    .default([...defaults]);

/** When a deferred message is tried again. */
export const retrySchema = z
  .strictObject({
    delaysMs: delaysMs([30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE]).describe(
      "Waits between rounds over all providers; the last one repeats until the class gives up.",
    ),
    otpDelaysMs: delaysMs([2 * SECOND, 5 * SECOND, 10 * SECOND, 20 * SECOND, 30 * SECOND]).describe(
      "The same for class otp.",
    ),
    jitterPercent: percent(0, 50)
      .default(20)
      .describe("Waits differ by up to so many percent, so that a backlog does not come at once."),
  })
  .prefault({});

const whenThrottled = z
  .union([z.enum(["spill", "wait"]), z.strictObject({ spillAfterMs: durationMs(0, DAY) })], {
    error: 'is not "spill", "wait" or { spillAfterMs: <time up to 1d> }',
  })
  .transform((value): ThrottlePolicy => {
    if (value === "spill") return { maxWaitMs: 0 };
    return { maxWaitMs: value === "wait" ? Infinity : value.spillAfterMs };
  });

type ClassDefaults = {
  readonly giveUpAfterMs: number;
  readonly onUncertain: "resend" | "retry" | "verify" | "hold";
  readonly afterVerify: "resend" | "retry" | "hold";
  readonly whenThrottled: "spill" | "wait" | { spillAfterMs: number };
  readonly hedgeAfterMs: number | null;
};

const classSchema = (defaults: ClassDefaults) =>
  z
    .strictObject({
      giveUpAfterMs: durationMs(SECOND, 30 * DAY)
        .default(defaults.giveUpAfterMs)
        .describe("Age at which a message that nobody took ends as expired."),
      onUncertain: z
        .enum(["resend", "retry", "verify", "hold"])
        .default(defaults.onUncertain)
        .describe(
          "What to do when a provider may have accepted it: the next provider at once, the same one again, ask the " +
            "provider where it can tell, or nothing until an operator says so.",
        ),
      afterVerify: z
        .enum(["resend", "retry", "hold"])
        .default(defaults.afterVerify)
        .describe("What to do after `verify` when the provider cannot tell."),
      whenThrottled: whenThrottled
        .prefault(defaults.whenThrottled)
        .describe(
          "What to do while a provider is throttled: `spill` to the next one, `wait` for it, or `{ spillAfterMs }` to wait that long first.",
        ),
      hedgeAfterMs: durationMs(100, 5 * MINUTE)
        .nullable()
        .default(defaults.hedgeAfterMs)
        .describe(
          "An attempt still short of its content after this time is given up, and the next provider tried; null: never.",
        ),
    })
    .prefault({});

/** What the classes of messages stand for. */
export const classesSchema = z
  .strictObject(
    {
      otp: classSchema({
        giveUpAfterMs: 10 * MINUTE,
        onUncertain: "resend",
        afterVerify: "resend",
        whenThrottled: "spill",
        hedgeAfterMs: 1_500,
      }),
      transactional: classSchema({
        giveUpAfterMs: 72 * HOUR,
        onUncertain: "verify",
        afterVerify: "retry",
        whenThrottled: { spillAfterMs: 30 * SECOND },
        hedgeAfterMs: null,
      }),
      bulk: classSchema({
        giveUpAfterMs: 72 * HOUR,
        onUncertain: "verify",
        afterVerify: "hold",
        whenThrottled: "wait",
        hedgeAfterMs: null,
      }),
    },
    {
      error: (issue) =>
        issue.code === "unrecognized_keys"
          ? "is not a class of messages; the classes are otp, transactional, bulk"
          : undefined,
    },
  )
  .prefault({});
