import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { closest } from "../../../src/config/closest.ts";
import { ChangeLog } from "../../../src/control/change-log.ts";
import type { Change, Draft } from "../../../src/control/change.ts";
import { Control } from "../../../src/control/control.ts";
import type { ControlAnswer } from "../../../src/control/control.ts";
import { describeHeld } from "../../../src/control/describe.ts";
import { LOG_KEYS } from "../../../src/control/keys.ts";
import { overlayAt } from "../../../src/control/state.ts";
import { closeRedis } from "../../../src/redis/connection.ts";
import type { RedisClient } from "../../../src/redis/connection.ts";
import { planOf } from "./plans.ts";
import { STORES, connect } from "../redis/stores.ts";
import type { Store } from "../redis/stores.ts";

const ann = { by: "ann@desk", reason: "invoices are late" };
const bob = { by: "bob@desk", reason: "tried it" };

describe.each(STORES)("in %s", (_name, open) => {
  let store: Store;
  let redis: RedisClient;
  let control: Control;

  beforeAll(async () => {
    store = await open();
    redis = connect(store.settings);
  });

  afterAll(async () => {
    await closeRedis(redis);
    await store.close();
  });

  beforeEach(async () => {
    await redis.del(...LOG_KEYS);
    control = new Control({ redis, providers: ["microsoft365", "sendgrid", "relay"], pools: {}, suggest: closest });
  });

  async function done(answer: Promise<ControlAnswer>): Promise<Change> {
    const settled = await answer;
    if (settled.kind !== "done") throw new Error(settled.sentence);
    return settled.change;
  }

  async function standings(): Promise<object> {
    const { now, state } = await control.status();
    return overlayAt(state, now).standings;
  }

  test("each change has its version, Redis's time, who made it and why", async () => {
    const before = Date.now();
    const drain = await done(control.drain("sendgrid", ann, { forMs: 7_200_000 }));
    const prefer = await done(control.prefer("relay", bob));
    expect(drain).toMatchObject({ version: 1, ...ann, action: "drain", provider: "sendgrid" });
    expect(drain).toHaveProperty("untilAt", drain.at + 7_200_000);
    expect(drain.at).toBeGreaterThanOrEqual(before - 1_000);
    expect(prefer).toMatchObject({ version: 2, ...bob, action: "prefer", provider: "relay", untilAt: null });
    expect((await control.changes(10)).changes).toEqual([prefer, drain]);
    expect((await control.changes(1)).changes).toEqual([prefer]);
  });

  test("drain, prefer and weight hold until they are taken back, or their time is over", async () => {
    await done(control.drain("sendgrid", ann, { forMs: 1 }));
    await done(control.prefer("relay", ann));
    await done(control.weight("relay", 3, ann));
    await done(control.drain("microsoft365", ann));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await standings()).toEqual({
      microsoft365: { drain: { ...ann, untilAt: null }, preferred: false, weight: null },
      relay: { drain: null, preferred: true, weight: 3 },
    });
    await done(control.resume("microsoft365", bob));
    await done(control.unprefer(bob));
    await done(control.weight("relay", null, bob));
    expect(await standings()).toEqual({});
  });

  test("an answer says what holds now", async () => {
    const answers = [await control.drain("sendgrid", ann), await control.rollback(1, ann)];
    expect(answers.map((answer) => (answer.kind === "done" && answer.holds ? describeHeld(answer.holds) : ""))).toEqual(
      ["sendgrid gets no mail", "sendgrid is not drained"],
    );
  });

  describe("is refused, and writes nothing:", () => {
    const cases: readonly [rule: string, act: () => Promise<ControlAnswer>, code: string, sentence: string | RegExp][] =
      [
        [
          "a provider that is not configured, with those that are and the closest",
          () => control.drain("sendgird", ann),
          "unknown-provider",
          'no provider is called "sendgird": there are microsoft365, sendgrid, relay; did you mean sendgrid?',
        ],
        ["one of a name like nothing", () => control.prefer("x", ann), "unknown-provider", /relay$/],
        ["no reason", () => control.drain("sendgrid", { by: "ann", reason: " " }), "invalid", /^reason: is empty/],
        ["a reason of two lines", () => control.unprefer({ by: "ann", reason: "a\nb" }), "invalid", /line break/],
        ["no author", () => control.resume("relay", { by: "", reason: "" }), "invalid", /^by: is empty/],
        ["a time that is none", () => control.prefer("relay", ann, { forMs: 0 }), "invalid", /^for: 0 ms is not/],
        ["a weight of nothing", () => control.weight("relay", 0, ann), "invalid", /^weight: 0 is not/],
        ["a plan that is none", () => control.cutover(planOf({ steps: [5] }), ann), "invalid", /^steps: 5 do not end/],
        ["a rollback of nothing", () => control.rollback(1, ann), "invalid", /no change 1; the latest is 0/],
      ];
    test.each(cases)("%s", async (_rule, act, code, sentence) => {
      const answer = await act();
      expect(answer).toMatchObject({ kind: "refused", code });
      expect(answer.kind === "refused" ? answer.sentence : "").toMatch(sentence);
      expect((await control.changes(10)).changes).toEqual([]);
    });
  });

  test("the last provider that is not drained stays, unless all mail may wait", async () => {
    await done(control.drain("microsoft365", ann));
    await done(control.drain("sendgrid", ann));
    expect(await control.drain("relay", ann)).toMatchObject({ kind: "refused", code: "all-mail-waits" });
    // One that is drained already may be drained for longer.
    await done(control.drain("sendgrid", ann, { forMs: 60_000 }));
    await done(control.drain("relay", ann, { allMailWaits: true }));
    expect(Object.keys(await standings())).toHaveLength(3);
  });

  test("nor is it drained by undoing that it was resumed", async () => {
    await done(control.drain("relay", ann));
    await done(control.resume("relay", ann));
    await done(control.drain("microsoft365", ann));
    await done(control.drain("sendgrid", ann));
    expect(await control.rollback(2, ann)).toMatchObject({ kind: "refused", code: "all-mail-waits" });
    await done(control.rollback(2, ann, { allMailWaits: true }));
  });

  test("what holds already is no change", async () => {
    const { kind: resumed } = await control.resume("relay", ann);
    const { kind: preferred } = await control.unprefer(ann);
    const { kind: weighted } = await control.weight("relay", null, ann);
    const { kind: stopped } = await control.stopCutover(null, ann);
    expect([resumed, preferred, weighted, stopped]).toEqual(Array(4).fill("unchanged"));
  });

  test("a provider that is drained and no longer configured can be resumed", async () => {
    await done(control.drain("sendgrid", ann));
    const later = new Control({ redis, providers: ["microsoft365"], pools: {}, suggest: closest });
    expect(await later.resume("sendgrid", ann)).toMatchObject({ kind: "done" });
    expect(await later.resume("sendgrid", ann)).toMatchObject({ kind: "refused", code: "unknown-provider" });
  });

  describe("a pool", () => {
    const pools = { boxes: ["boxes-1", "boxes-2"] };
    let pooled: Control;

    beforeEach(() => {
      pooled = new Control({ redis, providers: ["boxes-1", "boxes-2", "relay"], pools, suggest: closest });
    });

    test("is drained and resumed as one, and its members by themselves", async () => {
      await done(pooled.drain("boxes", ann));
      expect(await pooled.drain("relay", ann)).toMatchObject({ kind: "refused", code: "all-mail-waits" });
      expect(await pooled.prefer("boxes-2", ann)).toMatchObject({
        code: "drained",
        sentence: "boxes-2 is drained: resume boxes first",
      });
      expect(await pooled.resume("boxes-1", ann)).toMatchObject({
        code: "drained",
        sentence: "boxes-1 is drained with boxes: resume that",
      });
      await done(pooled.resume("boxes", ann));
      await done(pooled.drain("boxes-1", ann));
      // The other one still takes mail.
      await done(pooled.prefer("boxes", ann));
      await done(pooled.drain("relay", ann));
      expect(await pooled.drain("boxes", ann)).toMatchObject({ kind: "refused", code: "all-mail-waits" });
    });

    test("and its members are in each other's way as what mail is moved to", async () => {
      await done(pooled.cutover(planOf({ to: "boxes", when: { class: "otp" } }), ann));
      const other = planOf({ to: "boxes-2", when: { class: "bulk" } });
      expect(await pooled.cutover(other, ann)).toMatchObject({ kind: "refused", code: "conflict" });
    });
  });

  test("mail is not moved to a drained provider", async () => {
    await done(control.drain("sendgrid", ann));
    expect(await control.prefer("sendgrid", ann)).toMatchObject({ kind: "refused", code: "drained" });
    expect(await control.cutover(planOf(), ann)).toMatchObject({ kind: "refused", code: "drained" });
  });

  test("a cutover begins with its first step, and is refused beside another one of the same mail", async () => {
    await done(control.cutover(planOf({ when: { class: "bulk" } }), ann));
    const { state } = await control.status();
    expect(overlayAt(state, 0).shifts).toEqual([{ to: "sendgrid", percent: 5, when: { class: "bulk" } }]);
    expect(await control.cutover(planOf({ to: "relay" }), ann)).toMatchObject({
      kind: "refused",
      code: "conflict",
      sentence: "5 % of mail of class bulk goes to sendgrid already: take that back first",
    });
    await done(control.cutover(planOf({ to: "relay", when: { class: "otp" } }), ann));
    expect(await control.stopCutover(null, ann)).toMatchObject({ kind: "refused", code: "invalid" });
    await done(control.stopCutover("relay", ann));
    await done(control.stopCutover(null, ann));
    expect(overlayAt((await control.status()).state, 0).shifts).toEqual([]);
  });

  test("a cutover that was taken back goes on when that is undone, unless another one has its mail", async () => {
    await done(control.cutover(planOf(), ann));
    const stop = await done(control.stopCutover(null, ann));
    const other = await done(control.cutover(planOf({ to: "relay" }), ann));
    expect(await control.rollback(stop.version, bob)).toMatchObject({ kind: "refused", code: "conflict" });
    await done(control.rollback(other.version, bob));
    const again = await done(control.rollback(stop.version, bob));
    const { cutovers } = (await control.status()).state;
    expect(cutovers["sendgrid"]).toMatchObject({ phase: "running", step: 0, since: again.at, version: again.version });
    expect(cutovers["relay"]).toBeUndefined();
  });

  test("many who change at once are all heard, one after the other", async () => {
    const others = Array.from(
      { length: 6 },
      () => new Control({ redis, providers: ["relay"], pools: {}, suggest: closest }),
    );
    const changes = await Promise.all(others.map((other, index) => done(other.weight("relay", index + 1, ann))));
    expect(changes.map(({ version }) => version).toSorted()).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await control.changes(10)).changes.map(({ version }) => version)).toEqual([6, 5, 4, 3, 2, 1]);
  });

  test("a long log is shortened, and comes to the same", async () => {
    const log = new ChangeLog(redis);
    await done(control.drain("sendgrid", ann));
    const draft: Draft = { ...bob, action: "weight", provider: "relay", value: 2, forMs: null };
    // Over one connection, and so in this order.
    await Promise.all(Array.from({ length: 999 }, (_, index) => log.append(draft, index + 1)));
    const known = (await control.status()).state;
    const behind = (await log.readAfter({ ...known, version: 0, at: 0 })).state;
    expect(behind).toEqual(known);

    await done(control.weight("microsoft365", 5, ann));
    expect(await redis.llen(LOG_KEYS[0])).toBe(501);
    const { state } = await control.status();
    expect(state).toMatchObject({ version: 1_001, drains: { sendgrid: ann }, weights: { relay: { value: 2 } } });
    // Whoever knew the latest goes on from there, and whoever knew an early one from what is kept.
    expect(await log.readAfter(known)).toMatchObject({ isLost: false, changes: [{ version: 1_001 }], state });
    const old = { ...known, version: 3, at: 1 };
    const news = await log.readAfter(old);
    expect(news).toMatchObject({ isLost: false, state });
    expect(news.changes.map(({ version }) => version)).toEqual(Array.from({ length: 501 }, (_, index) => 501 + index));
    expect(await control.rollback(1, ann)).toMatchObject({ kind: "refused", code: "not-kept" });
    await done(control.rollback(501, ann));
  });

  test("a change whose answer was lost, and that is sent again, is made once", async () => {
    const args = [...LOG_KEYS, "0", "nonce-1", JSON.stringify({ ...ann, action: "unprefer" }), "channel", "0", ""];
    const scripted = redis as RedisClient & { controlAppend(...args: string[]): Promise<string> };
    const first = await scripted.controlAppend(...args);
    expect(await scripted.controlAppend(...args)).toBe(first);
    expect(await redis.llen(LOG_KEYS[0])).toBe(1);
    // Another one, decided on what is no longer the latest, is not.
    expect(await scripted.controlAppend(...args.with(3, "nonce-2"))).toBe("");
  });

  test("whoever knows a log that is no longer there begins anew", async () => {
    const log = new ChangeLog(redis);
    await done(control.drain("sendgrid", ann));
    const { state: known } = await control.status();
    await redis.del(...LOG_KEYS);
    expect(await log.readAfter(known)).toMatchObject({ isLost: true, changes: [], state: { version: 0, drains: {} } });
    await new Promise((resolve) => setTimeout(resolve, 2));
    await done(control.drain("relay", ann));
    const news = await log.readAfter(known);
    expect(news).toMatchObject({ isLost: true, changes: [{ version: 1 }] });
    expect(Object.keys(news.state.drains)).toEqual(["relay"]);
  });
});
