import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { MessageClass } from "../../../src/core/index.ts";
import type { LimitCause, Limiter, SlotAnswer, SlotRequest } from "../../../src/gate/limits/limiter.ts";
import { ScriptedProvider, failed, hangsAt, relayed } from "../scripted-provider.ts";
import type { Step } from "../scripted-provider.ts";
import { Desk } from "./round-of.ts";
import type { DeskOptions } from "./round-of.ts";

/** Answers as a test says; the last one repeats. */
class ScriptedLimiter implements Limiter {
  readonly requests: SlotRequest[] = [];
  readonly ends: boolean[] = [];
  readonly released: string[] = [];
  readonly complaints: string[] = [];
  readonly #answers: (number | LimitCause)[];

  /** A number: the wait for the next slot in milliseconds, 0 for none. A cause: an hour. */
  constructor(...answers: (number | LimitCause)[]) {
    this.#answers = answers;
  }

  async reserve(request: SlotRequest): Promise<SlotAnswer> {
    this.requests.push(request);
    const answer = (this.#answers.length > 1 ? this.#answers.shift() : this.#answers[0]) ?? 0;
    if (answer === 0) return { kind: "granted", end: (sent) => void this.ends.push(sent) };
    const [waitMs, cause] = typeof answer === "number" ? [answer, "rate" as const] : [3_600_000, answer];
    const booked = waitMs <= request.bookWithinMs;
    return { kind: "later", at: Date.now() + waitMs, booked, cause, reason: "30 messages a minute are used up" };
  }

  release(id: string): void {
    this.released.push(id);
  }

  tooFast(reason: string): void {
    this.complaints.push(reason);
  }
}

let desk: Desk;
let first: ScriptedProvider;
let second: ScriptedProvider;

function open(messageClass: MessageClass, options: DeskOptions, steps: Step[] = [relayed]): void {
  first = new ScriptedProvider("first", steps);
  second = new ScriptedProvider("second", [relayed]);
  desk = new Desk([first, second], { class: messageClass }, options);
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  desk.close();
  vi.useRealTimers();
});

describe("a provider at its limit", () => {
  test("is waited for where the class waits, until exactly its slot", async () => {
    const limiter = new ScriptedLimiter(1_234_000, 0);
    open("bulk", { limiters: [limiter] });
    const resolution = await desk.round();
    expect(resolution).toMatchObject({ kind: "later", at: Date.now() + 1_234_000, fresh: true });
    expect(desk.record).toMatchObject({ status: "deferred", reason: "first: 30 messages a minute are used up" });
    expect(limiter.requests).toEqual([
      { id: "m1", class: "bulk", recipientCount: 1, bookWithinMs: Number.POSITIVE_INFINITY },
    ]);
    expect([...first.sent, ...second.sent]).toHaveLength(0);
    vi.advanceTimersByTime(1_234_000);
    expect(await desk.round()).toMatchObject({ kind: "ended", record: { status: "relayed", provider: "first" } });
    expect(limiter.ends).toEqual([true]);
  });

  test("is waited for within the patience of the class, then the next one takes it", async () => {
    const limiter = new ScriptedLimiter(20_000, 20_000);
    open("transactional", { limiters: [limiter] });
    expect(await desk.round()).toMatchObject({ kind: "later", at: Date.now() + 20_000 });
    vi.advanceTimersByTime(20_000);
    expect(await desk.round()).toMatchObject({ kind: "ended", record: { provider: "second" } });
    expect(limiter.requests.map(({ bookWithinMs }) => bookWithinMs)).toEqual([30_000, 10_000]);
    // What it had booked is free for others.
    expect(limiter.released).toEqual(["m1"]);
  });

  test("is passed by at once where the class spills", async () => {
    open("otp", { limiters: [new ScriptedLimiter(1_000)] });
    expect(await desk.round()).toMatchObject({ kind: "ended", record: { provider: "second" } });
    expect(desk.record.skipped).toEqual([{ provider: "first", reason: "30 messages a minute are used up" }]);
  });

  test("is waited for by all classes where nobody else is left", async () => {
    open("otp", { limiters: [new ScriptedLimiter(60_000), new ScriptedLimiter(40_000)] });
    expect(await desk.round()).toMatchObject({ kind: "later", at: Date.now() + 40_000 });
  });

  test("whose quota is used up is not waited for while another is left", async () => {
    open("bulk", { limiters: [new ScriptedLimiter("recipients")] });
    expect(await desk.round()).toMatchObject({ kind: "ended", record: { provider: "second" } });
  });

  test("has equals: they are asked without booking, and the earliest slot is booked", async () => {
    const limiters = [new ScriptedLimiter(50_000), new ScriptedLimiter(40_000)];
    open("bulk", { limiters, priorities: [1, 1] });
    expect(await desk.round()).toMatchObject({ kind: "later", at: Date.now() + 40_000 });
    const bookings = limiters.map(({ requests }) => requests.map(({ bookWithinMs }) => bookWithinMs > 0));
    expect(bookings).toEqual([[false], [true]]);
  });

  test("whose equal has room lets that one have the message", async () => {
    open("bulk", { limiters: [new ScriptedLimiter(50_000), new ScriptedLimiter(0)], priorities: [1, 1] });
    expect(await desk.round()).toMatchObject({ kind: "ended", record: { provider: "second" } });
  });
});

describe("a slot", () => {
  test.each([
    ["is used up by what was named to the provider", failed("busy", { stage: "rcpt" }), true],
    ["is given back where nothing came that far", failed("outage", { stage: "connect" }), false],
    ["is used up by what may have been accepted", failed("uncertain", { stage: "reply" }), true],
  ])("%s", async (_what, outcome, sent) => {
    const limiter = new ScriptedLimiter(0);
    open("otp", { limiters: [limiter] }, [outcome]);
    await desk.round();
    expect(limiter.ends).toEqual([sent]);
  });

  test("is asked for only where the gate is open", async () => {
    const limiter = new ScriptedLimiter(0);
    open("otp", { limiters: [limiter] }, [failed("auth", { stage: "auth" })]);
    await desk.round();
    await desk.round();
    expect(limiter.requests).toHaveLength(1);
  });
});

test("a provider that says we are too fast lowers the pace", async () => {
  const limiter = new ScriptedLimiter(0);
  open("otp", { limiters: [limiter] }, [failed("throttled", { stage: "mail" })]);
  await desk.round();
  expect(limiter.complaints).toEqual(["throttled, as the server said"]);
});

describe("hedging", () => {
  test("gives up an attempt short of its content for the next provider", async () => {
    open("transactional", { hedgeAfterMs: 1_500 }, [hangsAt("mail")]);
    const round = desk.round();
    await vi.advanceTimersByTimeAsync(1_500);
    expect(await round).toMatchObject({ kind: "ended", record: { provider: "second", possibleDuplicate: false } });
    expect(desk.record.attempts.map(({ provider, outcome }) => [provider, outcome])).toEqual([
      ["first", "deferred"],
      ["second", "relayed"],
    ]);
  });

  test("gives up waiting for a connection, too, and that was no attempt", async () => {
    open("transactional", { hedgeAfterMs: 1_500 }, [hangsAt("queue")]);
    const round = desk.round();
    await vi.advanceTimersByTimeAsync(1_500);
    expect(await round).toMatchObject({ kind: "ended", record: { provider: "second", attemptCount: 1 } });
    expect(desk.record.skipped).toEqual([{ provider: "first", reason: "no connection was free for 1500 ms" }]);
  });

  test("leaves what has begun to go out alone", async () => {
    open("transactional", { hedgeAfterMs: 1_500 }, [
      async (_transmission, { onStage }) => {
        onStage("content");
        await new Promise((resolve) => setTimeout(resolve, 9_000));
        return relayed;
      },
    ]);
    const round = desk.round();
    await vi.advanceTimersByTimeAsync(9_000);
    expect(await round).toMatchObject({ kind: "ended", record: { provider: "first", attemptCount: 1 } });
  });

  test("gives nothing up where nobody else is free", async () => {
    open("transactional", { hedgeAfterMs: 1_500, limiters: [] }, [hangsAt("mail")]);
    const other = desk.gates[1]?.begin("x");
    await other?.end(failed("auth", { stage: "auth" }));
    const round = desk.round();
    await vi.advanceTimersByTimeAsync(1_900);
    desk.controller.abort();
    await vi.advanceTimersByTimeAsync(10_000);
    await round;
    expect(desk.record.attempts.at(-1)).toMatchObject({ provider: "first" });
    expect(second.sent).toHaveLength(0);
  });
});
