import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TokenSource } from "../../../../providers/microsoft365/token-source.ts";
import type { TokenReply } from "../../../../providers/microsoft365/token-request.ts";
import type { Evidence } from "../../../../src/core/index.ts";

/** A signal that never aborts. */
const never = () => new AbortController().signal;
const minuteMs = 60_000;
const down: Evidence = { stage: "token", text: "connect ECONNREFUSED", errorCode: "ECONNREFUSED" };

/** A login service by hand: answers as `answer` says, counts, and gives tokens "t1", "t2" and so on. */
function setup(overrides: { random?: () => number; clock?: () => number } = {}) {
  const service = {
    count: 0,
    lifetimeMs: 60 * minuteMs,
    failure: null as Evidence | null,
    latencyMs: 0,
    signals: [] as AbortSignal[],
  };
  const notices: { event: string; fields: Record<string, unknown> }[] = [];
  const source = new TokenSource({
    request: async (signal): Promise<TokenReply> => {
      service.signals.push(signal);
      const accessToken = `t${++service.count}`;
      if (service.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, service.latencyMs));
      if (service.failure !== null) return { ok: false, evidence: service.failure };
      const { lifetimeMs } = service;
      return { ok: true, accessToken, expiresAt: Date.now() + lifetimeMs, lifetimeMs, lasting: null };
    },
    shared: null,
    clock: overrides.clock ?? Date.now,
    random: overrides.random ?? (() => 0),
    notice: (event, fields) => notices.push({ event, fields: { ...fields } }),
  });
  return { service, source, notices };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("one token for all", () => {
  test("the first call asks, later ones do not", async () => {
    const { service, source } = setup();
    expect(await source.get(never())).toMatchObject({ ok: true, accessToken: "t1", fromCache: false });
    expect(await source.get(never())).toMatchObject({ ok: true, accessToken: "t1", fromCache: true });
    expect(service.count).toBe(1);
    source.close();
  });

  test("twenty callers at once share one request", async () => {
    const { service, source } = setup();
    service.latencyMs = 300;
    const calls = Array.from({ length: 20 }, () => source.get(never()));
    await vi.advanceTimersByTimeAsync(300);
    for (const result of await Promise.all(calls)) expect(result).toMatchObject({ ok: true, accessToken: "t1" });
    expect(service.count).toBe(1);
    source.close();
  });

  test("a caller that leaves does not end the request of the others", async () => {
    const { service, source } = setup();
    service.latencyMs = 300;
    const leaving = new AbortController();
    const left = source.get(leaving.signal);
    const stays = source.get(never());
    leaving.abort();
    expect(await left).toMatchObject({ ok: false, evidence: { stage: "token", errorCode: "ABORTED" } });
    await vi.advanceTimersByTimeAsync(300);
    expect(await stays).toMatchObject({ ok: true, accessToken: "t1" });
    expect(service.count).toBe(1);
    source.close();
  });
});

describe("refresh at half the life", () => {
  test("in the background, before anybody asks, again and again", async () => {
    const { service, source } = setup();
    await source.get(never());
    await vi.advanceTimersByTimeAsync(29 * minuteMs);
    expect(service.count).toBe(1);
    await vi.advanceTimersByTimeAsync(2 * minuteMs);
    expect(service.count).toBe(2);
    expect(await source.get(never())).toMatchObject({ accessToken: "t2", fromCache: true });
    await vi.advanceTimersByTimeAsync(31 * minuteMs);
    expect(service.count).toBe(3);
    source.close();
  });

  test("chance makes it up to a tenth earlier", async () => {
    const { service, source } = setup({ random: () => 0.99 });
    await source.get(never());
    await vi.advanceTimersByTimeAsync(26 * minuteMs);
    expect(service.count).toBe(1);
    await vi.advanceTimersByTimeAsync(1.2 * minuteMs);
    expect(service.count).toBe(2);
    source.close();
  });

  test("a failing refresh keeps the token to its end and tries again with growing gaps", async () => {
    const { service, source, notices } = setup();
    await source.get(never());
    service.failure = down;
    await vi.advanceTimersByTimeAsync(30 * minuteMs);
    expect(service.count).toBe(2);
    for (const gapSeconds of [10, 20, 40, 80, 160, 300, 300]) {
      const { count } = service;
      await vi.advanceTimersByTimeAsync(gapSeconds * 1000 - 1);
      expect(service.count).toBe(count);
      await vi.advanceTimersByTimeAsync(1);
      expect(service.count).toBe(count + 1);
      expect(await source.get(never())).toMatchObject({ accessToken: "t1", fromCache: true });
    }
    expect(notices.at(-1)).toMatchObject({
      event: "token.refresh.failed",
      fields: { errorCode: "ECONNREFUSED", nextTryMs: 300_000 },
    });
    await vi.advanceTimersByTimeAsync(30 * minuteMs);
    const count = service.count;
    await vi.advanceTimersByTimeAsync(120 * minuteMs);
    expect(service.count).toBe(count); // the token is gone, and nobody asks
    expect(await source.get(never())).toMatchObject({ ok: false, evidence: down });
    source.close();
  });

  test("a refresh that succeeds after failures starts over", async () => {
    const { service, source } = setup();
    await source.get(never());
    service.failure = down;
    await vi.advanceTimersByTimeAsync(30 * minuteMs);
    service.failure = null;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await source.get(never())).toMatchObject({ accessToken: "t3", fromCache: true });
    await vi.advanceTimersByTimeAsync(30 * minuteMs);
    expect(service.count).toBe(4);
    source.close();
  });

  test("a token that is born expired makes no tight loop", async () => {
    const { service, source } = setup();
    service.lifetimeMs = 0;
    expect(await source.get(never())).toMatchObject({ ok: true, accessToken: "t1" });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(service.count).toBe(1);
    source.close();
  });
});

describe("a token that the mail server rejected", () => {
  test("is replaced once, whoever reports it", async () => {
    const { service, source } = setup();
    await source.get(never());
    const renewed = await Promise.all([source.renew("t1", never()), source.renew("t1", never())]);
    for (const result of renewed) expect(result).toMatchObject({ ok: true, accessToken: "t2" });
    expect(await source.renew("t1", never())).toMatchObject({ ok: true, accessToken: "t2", fromCache: true });
    expect(service.count).toBe(2);
    source.close();
  });

  test("stays where no other is to be had", async () => {
    const { service, source } = setup();
    await source.get(never());
    service.failure = down;
    expect(await source.renew("t1", never())).toMatchObject({ ok: false, evidence: down });
    expect(await source.get(never())).toMatchObject({ ok: true, accessToken: "t1", fromCache: true });
    source.close();
  });
});

describe("a server that asks to be left alone", () => {
  test("is not asked again before its time is over, and then at once", async () => {
    const { service, source } = setup();
    service.failure = { stage: "token", text: "throttled", httpStatus: 429, retryAfterMs: 20_000 };
    expect(await source.get(never())).toMatchObject({ ok: false, evidence: { retryAfterMs: 20_000 } });
    service.failure = null;
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await source.get(never())).toMatchObject({ ok: false, evidence: { httpStatus: 429, retryAfterMs: 5000 } });
    expect(service.count).toBe(1);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await source.get(never())).toMatchObject({ ok: true, accessToken: "t2" });
    source.close();
  });

  test("is left alone by the refresh too, which goes on after it, even where the timer is ahead of the clock", async () => {
    let behindMs = 0;
    const { service, source } = setup({ clock: () => Date.now() - behindMs });
    await source.get(never());
    service.failure = { stage: "token", text: "throttled", httpStatus: 429, retryAfterMs: 90_000 };
    await vi.advanceTimersByTimeAsync(30 * minuteMs);
    expect(service.count).toBe(2);
    service.failure = null;
    behindMs = 5;
    await vi.advanceTimersByTimeAsync(90_000);
    expect(service.count).toBe(2);
    await vi.advanceTimersByTimeAsync(2000);
    expect(service.count).toBe(3);
    source.close();
  });

  test("is believed for an hour at most", async () => {
    const { service, source } = setup();
    service.failure = { stage: "token", text: "throttled", httpStatus: 429, retryAfterMs: 86_400_000 };
    await source.get(never());
    service.failure = null;
    await vi.advanceTimersByTimeAsync(60 * minuteMs);
    expect(await source.get(never())).toMatchObject({ ok: true });
    source.close();
  });

  test("without a wish is asked by the next caller", async () => {
    const { service, source } = setup();
    service.failure = { stage: "token", text: "busy", httpStatus: 503 };
    await source.get(never());
    service.failure = null;
    expect(await source.get(never())).toMatchObject({ ok: true, accessToken: "t2" });
    source.close();
  });
});

test("close ends the request under way and every timer", async () => {
  const { service, source } = setup();
  await source.get(never());
  source.close();
  await vi.advanceTimersByTimeAsync(120 * minuteMs);
  expect(service.count).toBe(1);
  expect(service.signals[0]?.aborted).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});
