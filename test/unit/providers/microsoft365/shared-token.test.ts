import { createSecretKey } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { CredentialSettings } from "../../../../providers/microsoft365/credential-settings.ts";
import type { CredentialSource } from "../../../../providers/microsoft365/credentials.ts";
import { SharedToken } from "../../../../providers/microsoft365/shared-token.ts";
import type { SharedTokenOptions } from "../../../../providers/microsoft365/shared-token.ts";
import { TokenSource } from "../../../../providers/microsoft365/token-source.ts";
import type { Evidence } from "../../../../src/core/index.ts";
import { MemoryCache } from "./memory-cache.ts";

const never = () => new AbortController().signal;
const minuteMs = 60_000;
const lifetimeMs = 60 * minuteMs;
const leaseMs = 11_000;
const down: Evidence = { stage: "token", text: "connect ECONNREFUSED", errorCode: "ECONNREFUSED" };

const secretOf = (text: string) => createSecretKey(Buffer.from(text));
const source = (clientSecret: string): CredentialSource => ({ field: "clientSecret", settings: { clientSecret } });

/** A login service and a store, and gateways that use both. */
class Fleet {
  readonly cache = new MemoryCache();
  readonly service = { count: 0, latencyMs: 0, failure: null as Evidence | null };
  readonly notices: string[] = [];
  readonly members: TokenSource[] = [];

  /** `secret`: what its credential is; Entra ID takes any. */
  join(changes: Partial<SharedTokenOptions> & { readonly secret?: string; readonly random?: () => number } = {}) {
    const { secret = "the-secret", random = () => 0, ...options } = changes;
    const notice = (event: string) => void this.notices.push(event);
    const shared = new SharedToken({
      cache: this.cache,
      identity: { authority: "https://login.example.com", tenantId: "t", clientId: "c", scope: "s" },
      sources: [source(secret)],
      sharedTokenKey: null,
      leaseMs,
      clock: Date.now,
      notice,
      ...options,
    });
    const member = new TokenSource({
      request: async () => {
        const accessToken = `t${++this.service.count}`;
        const { latencyMs, failure } = this.service;
        if (latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, latencyMs));
        if (failure !== null) return { ok: false, evidence: failure };
        return { ok: true, accessToken, expiresAt: Date.now() + lifetimeMs, lifetimeMs, lasting: secretOf(secret) };
      },
      shared,
      clock: Date.now,
      random,
      notice,
    });
    this.members.push(member);
    return member;
  }

  get only(): string {
    const [key] = [...this.cache.values.keys()];
    if (key === undefined || this.cache.values.size > 1) throw new Error(`${this.cache.values.size} values`);
    return key;
  }
}

let fleet: Fleet;

beforeEach(() => {
  vi.useFakeTimers();
  fleet = new Fleet();
});
afterEach(() => {
  for (const member of fleet.members) member.close();
  vi.useRealTimers();
});

/** What the promise comes to while time runs. */
async function after<T>(ms: number, promise: Promise<T>): Promise<T> {
  await vi.advanceTimersByTimeAsync(ms);
  return promise;
}

describe("one request for all", () => {
  test("fifty gateways that start at once", async () => {
    fleet.service.latencyMs = 800;
    const calls = Array.from({ length: 50 }, () => fleet.join().get(never()));
    for (const result of await after(2000, Promise.all(calls))) {
      expect(result).toMatchObject({ ok: true, accessToken: "t1" });
    }
    expect(fleet.service.count).toBe(1);
  });

  test("fifty gateways through six hours: one in each half of a token's life", async () => {
    let seed = 1;
    const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const members = Array.from({ length: 50 }, () => fleet.join({ random }));
    fleet.service.latencyMs = 200;
    for (const member of members) void member.get(never());
    await vi.advanceTimersByTimeAsync(6 * 60 * minuteMs);
    // A half is up to a tenth shorter.
    expect(fleet.service.count).toBeGreaterThanOrEqual(12);
    expect(fleet.service.count).toBeLessThanOrEqual(14);
    const before = fleet.service.count;
    for (const member of members) expect(await member.get(never())).toMatchObject({ ok: true, fromCache: true });
    expect(fleet.service.count).toBe(before);
  });

  test("one that starts later takes the token over, and refreshes it when its half is over", async () => {
    await fleet.join().get(never());
    fleet.members[0]?.close();
    await vi.advanceTimersByTimeAsync(20 * minuteMs);
    const late = fleet.join();
    expect(await late.get(never())).toEqual({ ok: true, accessToken: "t1", fromCache: true });
    await vi.advanceTimersByTimeAsync(9 * minuteMs);
    expect(fleet.service.count).toBe(1);
    await vi.advanceTimersByTimeAsync(2 * minuteMs);
    expect(fleet.service.count).toBe(2);
    expect(await late.get(never())).toMatchObject({ accessToken: "t2" });
  });
});

test("a refresh is not put off by another token that is past its half", async () => {
  await fleet.join().get(never());
  fleet.members[0]?.close();
  await vi.advanceTimersByTimeAsync(20 * minuteMs);
  const member = fleet.join();
  fleet.cache.isAway = true;
  expect(await member.get(never())).toMatchObject({ accessToken: "t2" });
  fleet.cache.isAway = false;
  await vi.advanceTimersByTimeAsync(31 * minuteMs);
  expect(await member.get(never())).toMatchObject({ accessToken: "t3" });
  expect(fleet.notices).not.toContain("token.shared");
});

describe("while Entra ID is down", () => {
  test("a gateway that starts lives on the token of the others, to its end", async () => {
    await fleet.join().get(never());
    fleet.service.failure = down;
    await vi.advanceTimersByTimeAsync(40 * minuteMs);
    const late = fleet.join();
    expect(await late.get(never())).toMatchObject({ ok: true, accessToken: "t1" });
    await vi.advanceTimersByTimeAsync(19 * minuteMs);
    expect(await late.get(never())).toMatchObject({ ok: true, accessToken: "t1" });
    await vi.advanceTimersByTimeAsync(2 * minuteMs);
    expect(await after(5000, late.get(never()))).toMatchObject({ ok: false, evidence: down });
  });

  test("the fleet tries in turns", async () => {
    const members = Array.from({ length: 20 }, () => fleet.join());
    for (const member of members) void member.get(never());
    await vi.advanceTimersByTimeAsync(25 * minuteMs);
    fleet.service.failure = down;
    const before = fleet.service.count;
    await vi.advanceTimersByTimeAsync(15 * minuteMs);
    const tries = fleet.service.count - before;
    expect(tries).toBeGreaterThan(20);
    // One for each lease; and each member's second one, after 10 s, is still in the lease of its first.
    expect(tries).toBeLessThanOrEqual((10 * minuteMs) / leaseMs + members.length);
    for (const member of members) expect(await member.get(never())).toMatchObject({ ok: true, accessToken: "t1" });
  });

  test("all come back by the first request that goes well", async () => {
    const members = Array.from({ length: 10 }, () => fleet.join());
    await Promise.all(members.map((member) => after(500, member.get(never()))));
    fleet.service.failure = down;
    await vi.advanceTimersByTimeAsync(50 * minuteMs);
    fleet.service.failure = null;
    const before = fleet.service.count;
    await vi.advanceTimersByTimeAsync(6 * minuteMs);
    expect(fleet.service.count).toBe(before + 1);
    for (const member of members) {
      expect(await member.get(never())).toMatchObject({ ok: true, accessToken: `t${fleet.service.count}` });
    }
  });

  test("without a token, mail is not kept waiting for the one who asks", async () => {
    fleet.service.latencyMs = 60_000;
    void fleet.join().get(never());
    await vi.advanceTimersByTimeAsync(100);
    fleet.service.failure = down;
    fleet.service.latencyMs = 0;
    const result = fleet.join().get(never());
    expect(await after(3500, result)).toMatchObject({ ok: false, evidence: down });
    expect(fleet.service.count).toBe(2);
  });

  test("a request to be left alone is kept to, and what others have is taken over all the same", async () => {
    const member = fleet.join();
    fleet.service.failure = { ...down, retryAfterMs: 30 * minuteMs };
    expect(await member.get(never())).toMatchObject({ ok: false });
    fleet.service.failure = null;
    await vi.advanceTimersByTimeAsync(leaseMs);
    // It asks nobody, and does not keep others from asking.
    expect(await member.get(never())).toMatchObject({ ok: false });
    expect(await fleet.join().get(never())).toMatchObject({ ok: true, accessToken: "t2" });
    expect(await member.get(never())).toEqual({ ok: true, accessToken: "t2", fromCache: true });
    expect(fleet.service.count).toBe(2);
  });
});

describe("the one who asks", () => {
  test("dies: another takes its place", async () => {
    await fleet.join().get(never());
    const members = [fleet.join(), fleet.join()];
    for (const member of members) await member.get(never());
    fleet.members[0]?.close();
    // Somebody took the lead just before the others come to it, and is not heard of again.
    await vi.advanceTimersByTimeAsync(30 * minuteMs - 1000);
    await fleet.cache.lead(fleet.only, leaseMs);
    await vi.advanceTimersByTimeAsync(leaseMs - 1500);
    expect(fleet.service.count).toBe(1);
    await vi.advanceTimersByTimeAsync(5000);
    expect(fleet.service.count).toBe(2);
    for (const member of members) expect(await member.get(never())).toMatchObject({ accessToken: "t2" });
  });

  test("asks again at once after a failure of its own", async () => {
    const member = fleet.join();
    fleet.service.failure = down;
    expect(await member.get(never())).toMatchObject({ ok: false });
    fleet.service.failure = null;
    expect(await member.get(never())).toMatchObject({ ok: true, accessToken: "t2" });
  });

  test("is waited for with patience, but not by mail", async () => {
    const member = fleet.join();
    await member.get(never());
    await vi.advanceTimersByTimeAsync(30 * minuteMs - 1000);
    await fleet.cache.lead(fleet.only, 10 * minuteMs);
    await vi.advanceTimersByTimeAsync(5000);
    expect(fleet.service.count).toBe(1);
    expect(await member.get(never())).toMatchObject({ ok: true, accessToken: "t1" });
    expect(await after(1500, member.renew("t1", never()))).toMatchObject({ ok: true, accessToken: "t2" });
  });
});

test("close ends a wait for another gateway, and every timer", async () => {
  const member = fleet.join();
  await member.get(never());
  await fleet.cache.lead(fleet.only, 10 * minuteMs);
  await vi.advanceTimersByTimeAsync(30 * minuteMs + 1000);
  const waiting = fleet.join();
  fleet.cache.values.clear();
  const result = waiting.get(never());
  await vi.advanceTimersByTimeAsync(1000);
  expect(vi.getTimerCount()).toBeGreaterThan(0);
  member.close();
  waiting.close();
  await vi.advanceTimersByTimeAsync(10);
  expect(vi.getTimerCount()).toBe(0);
  await result;
});

describe("a token that the mail server rejected", () => {
  test("is replaced by one request, though all gateways report it", async () => {
    const members = Array.from({ length: 20 }, () => fleet.join());
    await Promise.all(members.map((member) => after(500, member.get(never()))));
    await vi.advanceTimersByTimeAsync(5 * minuteMs);
    const renewed = Promise.all(members.map((member) => member.renew("t1", never())));
    for (const result of await after(1000, renewed)) expect(result).toMatchObject({ ok: true, accessToken: "t2" });
    expect(fleet.service.count).toBe(2);
  });

  test("is not exchanged for another old one of the fleet", async () => {
    const member = fleet.join();
    fleet.cache.isAway = true;
    await member.get(never());
    fleet.cache.isAway = false;
    await fleet.join().get(never());
    await vi.advanceTimersByTimeAsync(5 * minuteMs);
    // It holds t1 and the store t2; both may have been revoked by the same hand.
    expect(await member.renew("t1", never())).toEqual({ ok: true, accessToken: "t3", fromCache: false });
  });

  test("and the next one too: each attempt asks once at most, and none goes round", async () => {
    const member = fleet.join();
    let result = await member.get(never());
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      if (!result.ok) throw new Error("no token");
      const { accessToken } = result;
      result = await after(4000, member.renew(accessToken, never()));
      expect(result).toMatchObject({ ok: true, fromCache: false });
      expect(fleet.service.count).toBe(attempt + 1);
    }
  });

  test("stays where no other is to be had", async () => {
    const member = fleet.join();
    await member.get(never());
    fleet.service.failure = down;
    expect(await after(4000, member.renew("t1", never()))).toMatchObject({ ok: false, evidence: down });
    expect(await member.get(never())).toMatchObject({ ok: true, accessToken: "t1" });
  });
});

describe("what is in the store", () => {
  test("is sealed, and gone when the token ends", async () => {
    await fleet.join().get(never());
    const found = await fleet.cache.get(fleet.only);
    expect(fleet.only).toMatch(/^microsoft365:[0-9a-f]{32}$/);
    expect(found?.ttlMs).toBe(lifetimeMs);
    // Of a token as short as these a piece of noise could be made.
    const opened = Buffer.from(found?.value ?? "", "base64").toString("latin1");
    for (const text of [found?.value ?? "", opened]) expect(text).not.toContain("accessToken");
  });

  test("is nothing to a gateway with another credential, which does not touch it", async () => {
    await fleet.join().get(never());
    expect(await fleet.join({ secret: "another" }).get(never())).toMatchObject({ accessToken: "t2" });
    expect(fleet.cache.values.size).toBe(2);
    expect(fleet.notices).not.toContain("token.unreadable");
  });

  test("is told of once where it was tampered with, and replaced", async () => {
    await fleet.join().get(never());
    const key = fleet.only;
    const { value } = (await fleet.cache.get(key)) ?? { value: "" };
    await fleet.cache.set(key, `${value.slice(0, -8)}AAAAAAA=`, lifetimeMs);
    fleet.cache.leases.set(key, Date.now() + 2000);
    const member = fleet.join();
    expect(await after(2500, member.get(never()))).toMatchObject({ ok: true, accessToken: "t2" });
    expect(fleet.notices.filter((event) => event === "token.unreadable")).toHaveLength(1);
    expect(await fleet.join().get(never())).toMatchObject({ ok: true, accessToken: "t2", fromCache: true });
  });

  test("a time in the store that was made longer does not make a token live longer than it ever did", async () => {
    await fleet.join().get(never());
    const key = fleet.only;
    const { value } = (await fleet.cache.get(key)) ?? { value: "" };
    await fleet.cache.set(key, value, 1000 * lifetimeMs);
    const member = fleet.join();
    await member.get(never());
    fleet.service.failure = down;
    fleet.cache.isAway = true;
    await vi.advanceTimersByTimeAsync(lifetimeMs);
    expect(await member.get(never())).toMatchObject({ ok: false });
  });

  test("is of no account while it is away: each gateway asks for itself", async () => {
    fleet.cache.isAway = true;
    for (const wanted of ["t1", "t2"]) expect(await fleet.join().get(never())).toMatchObject({ accessToken: wanted });
    fleet.cache.isAway = false;
    expect(await fleet.join().get(never())).toMatchObject({ accessToken: "t3" });
    expect(await fleet.join().get(never())).toMatchObject({ accessToken: "t3" });
  });
});

describe("while one credential takes over from another", () => {
  const [old, fresh] = ["the-old-one", "the-fresh-one"];

  test("a gateway with both reads what one with either published", async () => {
    await fleet.join({ secret: old }).get(never());
    const both = fleet.join({ secret: fresh, sources: [source(fresh), source(old)] });
    expect(await both.get(never())).toMatchObject({ accessToken: "t1", fromCache: true });
  });

  test("it is published under the credential that Entra ID took", async () => {
    const second = fleet.join({ secret: fresh, sources: [source(old), source(fresh)] });
    expect(await second.get(never())).toMatchObject({ accessToken: "t1" });
    expect(await fleet.join({ secret: fresh }).get(never())).toMatchObject({ accessToken: "t1", fromCache: true });
    expect(fleet.cache.values.size).toBe(1);
  });

  test("with a key of its own for the token it does not matter which one there is", async () => {
    const sharedTokenKey = Buffer.alloc(32, 7).toString("base64");
    await fleet.join({ secret: old, sharedTokenKey }).get(never());
    expect(await fleet.join({ secret: fresh, sharedTokenKey }).get(never())).toMatchObject({ accessToken: "t1" });
    const other = fleet.join({ secret: old, sharedTokenKey: Buffer.alloc(32, 8).toString("base64") });
    expect(await other.get(never())).toMatchObject({ accessToken: "t2" });
  });
});

describe("a federated token, in which nothing lasts", () => {
  const settings: CredentialSettings = { federatedTokenFile: import.meta.filename };
  const sources = [{ field: "federatedTokenFile", settings }];

  test("shares nothing, and waits for nobody", async () => {
    const members = [fleet.join({ sources }), fleet.join({ sources })];
    vi.useRealTimers(); // A file is read.
    const results = await Promise.all(members.map((member) => member.get(never())));
    expect(results.map((result) => result.ok && result.accessToken).toSorted()).toEqual(["t1", "t2"]);
    expect(fleet.cache.leases.size).toBe(0);
    vi.useFakeTimers();
  });

  test("shares where there is a key for it", async () => {
    const sharedTokenKey = Buffer.alloc(32, 7).toString("base64");
    await fleet.join({ sources, sharedTokenKey }).get(never());
    expect(await fleet.join({ sources, sharedTokenKey }).get(never())).toMatchObject({ accessToken: "t1" });
  });
});
