import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Resolution } from "../../../src/delivery/round.ts";
import { ScriptedProvider, failed, failureOf, hangsAt, relayed } from "../scripted-provider.ts";
import type { Step } from "../scripted-provider.ts";
import { Desk } from "./round-of.ts";

let desk: Desk;
let first: ScriptedProvider;
let second: ScriptedProvider;

function make(firstSteps: Step[], secondSteps: Step[] = [relayed], submission = {}, mimeBytes = 1_000): void {
  first = new ScriptedProvider("first", firstSteps);
  second = new ScriptedProvider("second", secondSteps);
  desk = new Desk([first, second], submission, { mimeBytes });
}

const inMs = (resolution: Resolution): number =>
  resolution.kind === "later" ? resolution.at - Date.now() : Number.NaN;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  desk.close();
  vi.useRealTimers();
});

describe("a round", () => {
  test("ends with the first provider that takes the message", async () => {
    make([relayed]);
    expect(await desk.round()).toMatchObject({
      kind: "ended",
      record: {
        status: "relayed",
        provider: "first",
        remoteId: "remote-1",
        reason: null,
        recipients: [{ address: "ann@example.org", status: "relayed", provider: "first" }],
        attempts: [{ number: 1, provider: "first", outcome: "relayed", reply: "250 2.0.0 OK" }],
        metadata: { order: 7 },
      },
    });
    expect(second.sent).toHaveLength(0);
  });

  test("goes on to the next provider, with the failed attempt saved first", async () => {
    make([failed("outage")]);
    const { record } = await desk.round();
    expect(record).toMatchObject({ status: "relayed", provider: "second", attemptCount: 2, possibleDuplicate: false });
    expect(desk.saved).toMatchObject([{ attemptCount: 1, status: "relaying" }]);
  });

  test("waits as the table of delays says when all providers are busy", async () => {
    make([failed("busy", { scope: "recipient" })], [failed("busy", { scope: "recipient" })]);
    const delays = [inMs(await desk.round()), inMs(await desk.round()), inMs(await desk.round())];
    expect(delays).toEqual([30_000, 60_000, 60_000]);
    expect(desk.record).toMatchObject({ status: "deferred", deferralCount: 3, attemptCount: 6 });
  });

  test("waits for the earliest gate when all are shut, and makes no attempt", async () => {
    make([failed("auth")], [failed("quota", { retryAfterMs: 600_000 })]);
    await desk.round();
    const resolution = await desk.round();
    expect(inMs(resolution)).toBe(30_000);
    expect(desk.record.skipped.map(({ provider }) => provider)).toEqual(["first", "second"]);
    expect(desk.record.attemptCount).toBe(2);
    expect(desk.record.deferralCount).toBe(1);
  });

  test("ends as expired when its time is over, whatever provider would take it", async () => {
    make([failed("outage")], [failed("outage")], { expiresAt: new Date(Date.now() + 10_000) });
    expect(inMs(await desk.round())).toBe(10_000);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await desk.round()).toMatchObject({
      kind: "ended",
      record: { status: "expired", reason: expect.stringContaining("outage") },
    });
    expect(first.sent).toHaveLength(1);
  });

  test("does not begin before sendAt, and keeps its place", async () => {
    make([relayed], [relayed], { sendAt: new Date(Date.now() + 60_000) });
    expect(await desk.round()).toMatchObject({ kind: "later", at: Date.now() + 60_000, fresh: true });
    expect(first.sent).toHaveLength(0);
  });

  test("an unknown mailbox bounces at once, with the reply as the reason", async () => {
    make([failed("recipient", { reason: "550 5.1.1 User unknown" })]);
    expect(await desk.round()).toMatchObject({
      kind: "ended",
      record: { status: "bounced", reason: "550 5.1.1 User unknown" },
    });
    expect(second.sent).toHaveLength(0);
  });

  test("a defect in a provider neither loses nor doubles the message", async () => {
    make([() => Promise.reject(new Error("a bug"))]);
    expect((await desk.round()).record).toMatchObject({ status: "relayed", provider: "second" });
  });

  test("a provider that throws where it should return a promise does not either", async () => {
    make([relayed]);
    first.send = () => {
      throw new Error("a bug");
    };
    expect((await desk.round()).record).toMatchObject({ status: "relayed", provider: "second" });
  });
});

describe("recipients that fare differently", () => {
  const envelope = { mailFrom: "app@contoso.com", rcptTo: ["ann@example.org", "bob@example.org", "eve@example.org"] };

  test("accepted ones are never sent again, refused ones bounce, the rest goes on", async () => {
    const refused = [
      {
        recipient: "bob@example.org",
        failure: failureOf("busy", { scope: "recipient", reason: "450 4.2.0 Greylisted" }),
      },
      { recipient: "eve@example.org", failure: failureOf("recipient", { reason: "550 5.1.1 no such user" }) },
    ];
    make([{ ...relayed, refused } as Step], [relayed], { envelope });
    const { record } = await desk.round();
    expect(second.sent.map(({ recipients }) => recipients)).toEqual([["bob@example.org"]]);
    expect(record.recipients.map(({ status, provider }) => `${status} ${provider ?? ""}`)).toEqual([
      "relayed first",
      "relayed second",
      "refused first",
    ]);
    expect(record).toMatchObject({ status: "relayed", reason: "1 of 3 recipients refused: 550 5.1.1 no such user" });
  });
});

test("a record stays small over three days of long replies", async () => {
  const rcptTo = Array.from({ length: 50 }, (_, index) => `r${index}@example.org`);
  const reason = `450 4.2.0 ${"come back later ".repeat(2_000)}`;
  make([failed("busy", { scope: "recipient", reason })], [failed("busy", { scope: "recipient", reason })], {
    envelope: { mailFrom: "app@contoso.com", rcptTo },
  });
  for (let rounds = 0; rounds < 100; rounds += 1) await desk.round();
  expect(desk.record).toMatchObject({ status: "deferred", attemptCount: 200 });
  expect(desk.record.attempts.map(({ number }) => number).slice(0, 6)).toEqual([1, 2, 3, 4, 5, 176]);
  expect(JSON.stringify(desk.record).length).toBeLessThan(100_000);
  expect(desk.record.attempts[0]?.reply).toMatch(/^450 4\.2\.0 come back later .*…$/);
});

describe("uncertain outcomes", () => {
  test("retry: the same provider later, nobody else, marked as a possible duplicate", async () => {
    make([failed("uncertain"), relayed]);
    expect(inMs(await desk.round())).toBe(30_000);
    expect(desk.record).toMatchObject({ status: "deferred", uncertainAt: "first" });
    expect((await desk.round()).record).toMatchObject({
      status: "relayed",
      provider: "first",
      possibleDuplicate: true,
    });
    expect(second.sent).toHaveLength(0);
  });

  test("retry: while that provider is down the message waits for it alone", async () => {
    make([failed("uncertain"), failed("auth"), relayed]);
    await desk.round();
    await desk.round();
    expect(inMs(await desk.round())).toBe(30_000);
    expect(desk.record.skipped).toContainEqual({
      provider: "second",
      reason: "first may have accepted the message already",
    });
    expect(second.sent).toHaveLength(0);
  });

  test("resend: the next provider at once, marked as a possible duplicate", async () => {
    make([failed("uncertain")], [relayed], { onUncertain: "resend" });
    expect((await desk.round()).record).toMatchObject({
      status: "relayed",
      provider: "second",
      possibleDuplicate: true,
    });
  });

  test("hold: nothing until someone lets it go on, then the same provider", async () => {
    make([failed("uncertain"), relayed], [relayed], { class: "bulk" });
    const resolution = await desk.round();
    expect(resolution).toMatchObject({ kind: "later", record: { status: "held", possibleDuplicate: false } });
    expect(inMs(resolution)).toBe(72 * 3_600_000);
    expect((await desk.round()).record).toMatchObject({
      status: "relayed",
      provider: "first",
      possibleDuplicate: true,
    });
  });
});

describe("a throttled provider", () => {
  test("is waited for, but not for longer than the policy lets it, then the next one takes the message", async () => {
    make([failed("throttled", { retryAfterMs: 20_000 })]);
    expect(await desk.round()).toMatchObject({ kind: "later", at: Date.now() + 20_000, fresh: true });
    await vi.advanceTimersByTimeAsync(20_000);
    // Throttled again: twenty more seconds would be more than thirty in all.
    expect((await desk.round()).record).toMatchObject({ status: "relayed", provider: "second" });
  });

  test("is passed by at once for a password", async () => {
    make([failed("throttled")], [relayed], { class: "otp" });
    expect((await desk.round()).record).toMatchObject({ status: "relayed", provider: "second" });
  });

  test("is not asked again at once for a recipient whose own limit was reached", async () => {
    const envelope = { mailFrom: "app@contoso.com", rcptTo: ["ann@example.org", "bob@example.org"] };
    const limit = failureOf("throttled", { scope: "recipient", reason: "554 5.2.121 too many for him" });
    const partly = { ...relayed, refused: [{ recipient: "bob@example.org", failure: limit }] } as Step;
    make([partly], [failed("throttled", { scope: "recipient" })], { class: "bulk", envelope });
    expect(inMs(await desk.round())).toBe(30_000);
  });

  test("is not asked again at once where it names no time to wait", async () => {
    make([failed("throttled", { retryAfterMs: 0 })], [relayed], { class: "bulk" });
    expect(inMs(await desk.round())).toBe(10_000);
  });

  test("is waited for by bulk mail, even when its gate was shut before", async () => {
    make([failed("throttled", { retryAfterMs: 600_000 })], [relayed], { class: "bulk" });
    await desk.round();
    expect(inMs(await desk.round())).toBe(600_000);
    expect(first.sent).toHaveLength(1);
    expect(second.sent).toHaveLength(0);
  });
});

describe("a message that waits for a connection", () => {
  test("is not sent once its time is over", async () => {
    make([hangsAt("queue")], [relayed], { expiresAt: new Date(Date.now() + 10_000) });
    const round = desk.round();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await round).toMatchObject({ kind: "ended", record: { status: "expired", attemptCount: 0 } });
    expect(second.sent).toHaveLength(0);
  });

  test("goes on to the next provider when the breaker opens, and that was no attempt", async () => {
    make([hangsAt("queue")]);
    const round = desk.round();
    for (let call = 0; call < 3; call += 1) await desk.gates[0]?.begin("x@contoso.com").end(failed("outage"));
    const { record } = await round;
    expect(record).toMatchObject({ status: "relayed", provider: "second", attemptCount: 1 });
    expect(record.skipped).toEqual([{ provider: "first", reason: expect.stringContaining("breaker open") }]);
  });

  test("waits for the end of a pause that begins meanwhile", async () => {
    make([hangsAt("queue")]);
    const round = desk.round();
    await desk.gates[0]?.begin("x@contoso.com").end(failed("throttled", { retryAfterMs: 15_000 }));
    expect(await round).toMatchObject({
      kind: "later",
      at: Date.now() + 15_000,
      fresh: true,
      record: { attemptCount: 0 },
    });
  });
});

describe("the route", () => {
  test("is narrowed to the providers the message names, in their order", async () => {
    make([relayed], [failed("outage")], { providers: ["second", "nobody", "first"] });
    const { record } = await desk.round();
    expect(record.attempts.map(({ provider }) => provider)).toEqual(["second", "first"]);
    expect(record.skipped).toEqual([{ provider: "nobody", reason: "no provider of this name is configured" }]);
  });

  test("a message too large for all bounces with each provider's reason", async () => {
    make([relayed], [relayed], {}, 2_000_000);
    const { record } = await desk.round();
    expect(record.status).toBe("bounced");
    expect(record.reason).toBe(
      "no provider can take this message: first: the message has 2000000 bytes, it takes 1000000; second: the message has 2000000 bytes, it takes 1000000",
    );
  });

  test("a From that no provider may use waits for the operator, longer each time, and never bounces", async () => {
    make([relayed], [relayed]);
    first.declined = { cause: "sender", reason: "From app@contoso.com is not its mailbox" };
    second.declined = { cause: "content", reason: "it takes no such thing" };
    expect([inMs(await desk.round()), inMs(await desk.round())]).toEqual([30_000, 60_000]);
    expect(desk.record).toMatchObject({
      status: "deferred",
      reason: "first: From app@contoso.com is not its mailbox; second: it takes no such thing",
    });
    first.declined = null;
    expect((await desk.round()).record).toMatchObject({ status: "relayed", provider: "first" });
  });

  test("content that no provider takes bounces at once", async () => {
    make([relayed], [relayed]);
    first.declined = second.declined = { cause: "content", reason: "an empty file" };
    expect((await desk.round()).record).toMatchObject({
      status: "bounced",
      reason: "no provider can take this message: first: an empty file; second: an empty file",
    });
  });

  test("a message that names only providers nobody configured waits: one of them may have been renamed", async () => {
    make([relayed], [relayed], { providers: ["nobody"] });
    expect((await desk.round()).record).toMatchObject({
      status: "deferred",
      reason: "nobody: no provider of this name is configured",
    });
    expect(first.sent).toHaveLength(0);
  });

  test("a provider that refused the message is not given it again", async () => {
    make([failed("content", { elsewhere: true })], [failed("busy", { scope: "recipient" }), relayed]);
    await desk.round();
    expect((await desk.round()).record).toMatchObject({ status: "relayed", provider: "second" });
    expect(first.sent).toHaveLength(1);
  });
});

describe("stopping", () => {
  test("an attempt under way is stopped and the message handed back", async () => {
    make([hangsAt("mail")]);
    const round = desk.round();
    await vi.advanceTimersByTimeAsync(100);
    desk.controller.abort();
    expect(await round).toMatchObject({ kind: "handed-back", record: { attemptCount: 1 } });
    expect(second.sent).toHaveLength(0);
  });

  test("an attempt whose content is out when it is stopped is uncertain", async () => {
    make([hangsAt("reply")]);
    const round = desk.round();
    await vi.advanceTimersByTimeAsync(100);
    desk.controller.abort();
    expect(await round).toMatchObject({ kind: "later", record: { uncertainAt: "first" } });
  });

  test("an attempt whose provider does not stop when told to is left behind as uncertain", async () => {
    make([(_transmission, { onStage }) => new Promise(() => onStage("mail"))]);
    const timersBefore = vi.getTimerCount();
    const round = desk.round();
    await vi.advanceTimersByTimeAsync(180_000);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await round).toMatchObject({ kind: "later", record: { uncertainAt: "first" } });
    expect(vi.getTimerCount()).toBe(timersBefore);
  });

  test("an attempt that no time limit of its provider ends is stopped", async () => {
    make([hangsAt("queue")]);
    const round = desk.round();
    await vi.advanceTimersByTimeAsync(180_000);
    expect((await round).record).toMatchObject({ status: "relayed", provider: "second" });
  });
});
