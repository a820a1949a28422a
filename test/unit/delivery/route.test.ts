import { afterEach, describe, expect, test } from "vitest";
import type { Capabilities, DeliveryRecord } from "../../../src/core/index.ts";
import { orderUpstreams, planRoute } from "../../../src/delivery/route.ts";
import type { Upstream } from "../../../src/delivery/route.ts";
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

describe("the order", () => {
  test("is by priority, whatever the weights", () => {
    const upstreams = [upstream("b", { priority: 20, weight: 1_000 }), upstream("a", { priority: 10 })];
    expect(names(orderUpstreams(upstreams, null, Math.random))).toEqual(["a", "b"]);
  });

  test("among equals is by chance, each with its share of the first places", () => {
    const upstreams = [upstream("heavy", { weight: 3 }), upstream("light", { weight: 1 })];
    let seed = 1;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    const firsts = Array.from({ length: 4_000 }, () => names(orderUpstreams(upstreams, null, random))[0]);
    const share = firsts.filter((name) => name === "heavy").length / firsts.length;
    expect(share).toBeGreaterThan(0.72);
    expect(share).toBeLessThan(0.78);
  });

  test("is the message's own where it names providers, which also leaves the others out", () => {
    const upstreams = [upstream("a"), upstream("b"), upstream("c")];
    expect(names(orderUpstreams(upstreams, ["c", "nobody", "a"], Math.random))).toEqual(["c", "a"]);
  });
});

describe("who is left out", () => {
  const plan = (
    upstreams: Upstream[],
    record: Partial<DeliveryRecord> = {},
    wanted: string[] | null = null,
    rcptTo = ["ann@example.org"],
  ): ReturnType<typeof planRoute> => {
    const desk = new Desk([], { envelope: { mailFrom: "app@contoso.com", rcptTo } });
    return planRoute(upstreams, desk.message, { ...desk.record, ...record }, { wanted, random: () => 0 });
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
