import { afterEach, describe, expect, test } from "vitest";
import { NOTHING_CHANGED } from "../../../src/control/overlay.ts";
import type { Overlay } from "../../../src/control/overlay.ts";
import type { Capabilities, DeliveryRecord, Submission } from "../../../src/core/index.ts";
import { BY_PRIORITY, orderFor } from "../../../src/delivery/order.ts";
import type { Routing, Upstream } from "../../../src/delivery/order.ts";
import { planRoute } from "../../../src/delivery/route.ts";
import { Gate } from "../../../src/gate/gate.ts";
import { ScriptedProvider } from "../scripted-provider.ts";
import { Desk, gateSettings } from "./round-of.ts";

const gates: Gate[] = [];
afterEach(() => {
  for (const gate of gates.splice(0)) gate.close();
});

function upstream(name: string, more: Partial<Upstream> = {}, capabilities: Partial<Capabilities> = {}): Upstream {
  const provider = new ScriptedProvider(name, [], capabilities);
  const gate = new Gate(provider, gateSettings, { clock: Date.now, random: Math.random, emit: () => undefined });
  gates.push(gate);
  return { name, priority: 0, weight: 1, gate, ...more };
}

const names = (upstreams: readonly Upstream[]): string[] => upstreams.map(({ name }) => name);

type Wish = Partial<Submission> & { readonly id?: string };

/** Names in order, equals joined by a slash. */
const order = (
  upstreams: readonly Upstream[],
  wish: Wish = {},
  more: Partial<Routing> = {},
  random = () => 0,
): string[] => {
  const { id = "m1", ...submission } = wish;
  const desk = new Desk([], submission);
  const about = { id, submission: desk.submission };
  return orderFor(upstreams, about, { ...BY_PRIORITY, ...more }, random).tiers.map((tier) => names(tier).join("/"));
};

const changed = (overlay: Partial<Overlay>): Partial<Routing> => ({
  overlay: () => ({ ...NOTHING_CHANGED, ...overlay }),
});

describe("the order", () => {
  test("is by priority, whatever the weights", () => {
    const upstreams = [upstream("b", { priority: 20, weight: 1_000 }), upstream("a", { priority: 10 })];
    expect(order(upstreams)).toEqual(["a", "b"]);
  });

  test("among equals is by chance, each with its share of the first places", () => {
    const upstreams = [upstream("heavy", { weight: 3 }), upstream("light", { weight: 1 })];
    let seed = 1;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    const firsts = Array.from({ length: 4_000 }, () => order(upstreams, {}, {}, random)[0]);
    const share = firsts.filter((tier) => tier === "heavy/light").length / firsts.length;
    expect(share).toBeGreaterThan(0.72);
    expect(share).toBeLessThan(0.78);
  });

  test("is the message's own where it names providers, which also leaves the others out", () => {
    const upstreams = [upstream("a"), upstream("b"), upstream("c")];
    expect(order(upstreams, { providers: ["c", "nobody", "a"] })).toEqual(["c", "a"]);
  });

  test("is a rule's where the message falls under one, with its equals and its pools", () => {
    const upstreams = ["a", "b-1", "b-2", "c"].map((name, priority) => upstream(name, { priority }));
    const routing = {
      rules: [{ when: { class: "bulk" }, use: [["c", "a"], "b"] }],
      pools: { b: ["b-1", "b-2"] },
    };
    expect(order(upstreams, { class: "bulk" }, routing)).toEqual(["c/a", "b-1/b-2"]);
    expect(order(upstreams, { class: "otp" }, routing)).toEqual(["a", "b-1", "b-2", "c"]);
    expect(order(upstreams, { class: "bulk", providers: ["b"] }, routing)).toEqual(["b-1/b-2"]);
  });

  test("has first whom operators prefer, except where the message names its providers", () => {
    const upstreams = ["a", "b", "c"].map((name, priority) => upstream(name, { priority }));
    const overlay = changed({ standings: { c: { drain: null, preferred: true, weight: null } } });
    expect(order(upstreams, {}, overlay)).toEqual(["c", "a", "b"]);
    expect(order(upstreams, { providers: ["a", "c"] }, overlay)).toEqual(["a", "c"]);
  });

  test("has a weight of an operator's in place of the configured one", () => {
    const upstreams = [upstream("a", { weight: 1 }), upstream("b", { weight: 1_000_000 })];
    const overlay = changed({ standings: { b: { drain: null, preferred: false, weight: 1 } } });
    let draw = 0;
    const random = (): number => [0.1, 0.9][draw++ % 2] ?? 0;
    expect(order(upstreams, {}, {}, random)).toEqual(["b/a"]);
    expect(order(upstreams, {}, overlay, random)).toEqual(["a/b"]);
  });

  test("shifts to all members of a pool, by turns", () => {
    const upstreams = ["old", "new-1", "new-2"].map((name, priority) => upstream(name, { priority }));
    const more = {
      pools: { new: ["new-1", "new-2"] },
      ...changed({ shifts: [{ to: "new", percent: 100, when: {} }] }),
    };
    let draw = 0;
    const random = (): number => [0.9, 0.1, 0.1, 0.9][draw++ % 4] ?? 0;
    expect(order(upstreams, {}, more, random)).toEqual(["new-2", "new-1", "old"]);
    expect(order(upstreams, {}, more, random)).toEqual(["new-1", "new-2", "old"]);
  });

  test("shifts a share of the mail, always the same messages, and more of them as it grows", () => {
    const upstreams = [upstream("old", { priority: 1 }), upstream("new", { priority: 2 })];
    const shifted = (percent: number, wish: Wish): boolean =>
      order(upstreams, wish, changed({ shifts: [{ to: "new", percent, when: { class: "bulk" } }] }))[0] === "new";
    const ids = Array.from({ length: 1_000 }, (_, index) => `m${index}`);
    const at = (percent: number): string[] => ids.filter((id) => shifted(percent, { id, class: "bulk" }));
    expect(at(25).length).toBeGreaterThan(200);
    expect(at(25).length).toBeLessThan(300);
    expect(at(50)).toEqual(expect.arrayContaining(at(25)));
    expect(at(100)).toHaveLength(1_000);
    expect(ids.filter((id) => shifted(100, { id, class: "otp" }))).toHaveLength(0);
  });
});

describe("who is left out", () => {
  const plan = (
    upstreams: Upstream[],
    record: Partial<DeliveryRecord> = {},
    wanted: string[] | null = null,
    rcptTo = ["ann@example.org"],
    routing = BY_PRIORITY,
  ): ReturnType<typeof planRoute> => {
    const desk = new Desk([], { envelope: { mailFrom: "app@contoso.com", rcptTo }, providers: wanted });
    return planRoute(upstreams, desk, { ...desk.record, ...record }, { routing, random: () => 0 });
  };

  test.each<[what: string, capabilities: Partial<Capabilities>, reason: RegExp]>([
    ["one that takes no message so large", { maxMessageBytes: 999 }, /has 1000 bytes, it takes 999/],
    ["one that takes fewer recipients", { maxRecipients: 0 }, /has 1 recipients, it takes 0/],
    ["one that takes no finished MIME", { raw: false }, /no finished MIME/],
  ])("%s, for good", (_what, capabilities, reason) => {
    const route = plan([upstream("a", {}, capabilities)]);
    expect(route).toMatchObject({
      upstreams: [],
      mendable: false,
      skipped: [{ reason: expect.stringMatching(reason) }],
    });
  });

  test("one that refused the message, for good", () => {
    expect(plan([upstream("a")], { refusedBy: ["a"] })).toMatchObject({ upstreams: [], mendable: false });
  });

  test("a name that nobody configured, until somebody does", () => {
    expect(plan([upstream("a")], {}, ["b"])).toMatchObject({ upstreams: [], mendable: true });
  });

  test("one that operators drained, until they resume it, with who did it and why", () => {
    const drain = { by: "ann@desk", reason: "maintenance", untilAt: Date.parse("2026-01-01T02:00:00Z") };
    const routing = { ...BY_PRIORITY, ...changed({ standings: { a: { drain, preferred: false, weight: null } } }) };
    const route = plan([upstream("a"), upstream("b")], {}, null, ["ann@example.org"], routing);
    expect(names(route.upstreams)).toEqual(["b"]);
    expect(names(route.drained)).toEqual(["a"]);
    const reason = "drained by ann@desk until 2026-01-01T02:00:00.000Z: maintenance";
    expect(route.skipped).toEqual([{ provider: "a", reason }]);
    const alone = plan([upstream("a")], {}, null, ["ann@example.org"], routing);
    expect(alone).toMatchObject({ upstreams: [], mendable: true });
  });

  test("all but the one that may have accepted the message", () => {
    const route = plan([upstream("a"), upstream("b")], { uncertainAt: "b" });
    expect(names(route.upstreams)).toEqual(["b"]);
    expect(route.skipped).toEqual([{ provider: "a", reason: "b may have accepted the message already" }]);
  });

  test.each<[what: string, upstreams: () => Upstream[], wanted: string[] | null]>([
    ["is gone from the configuration", () => [upstream("a")], null],
    ["is not among those the message names", () => [upstream("a"), upstream("b")], ["a"]],
    ["takes no message so large any more", () => [upstream("a"), upstream("b", {}, { maxMessageBytes: 9 })], null],
  ])("nobody for the sake of one that may have accepted it but %s", (_what, upstreams, wanted) => {
    expect(names(plan(upstreams(), { uncertainAt: "b" }, wanted).upstreams)).toEqual(["a"]);
  });

  test("all, while the one that may have accepted it may not send as its From", () => {
    const pinned = upstream("b");
    (pinned.gate.provider as ScriptedProvider).declined = { cause: "sender", reason: "not its mailbox" };
    expect(plan([upstream("a"), pinned], { uncertainAt: "b" })).toMatchObject({ upstreams: [], mendable: true });
  });
});
