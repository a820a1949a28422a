import { afterAll, beforeAll, expect, test } from "vitest";
import { routeReport } from "../../src/cli/route.ts";
import { forgetRefusals } from "../../src/gate/fleet/redis-refusals.ts";
import { formatRoute } from "../../src/operations/format-route.ts";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";

const FROM = "app@contoso.example";

let scene: Scene;
let primary: RelayServer;
let fallback: RelayServer;
let settings: { [key: string]: unknown };

beforeAll(async () => {
  scene = await Scene.open();
  primary = await startRelay({ name: "primary" });
  fallback = await startRelay({ name: "fallback" });
  settings = {
    providers: {
      primary: relaySettings(primary, { priority: 10 }),
      fallback: relaySettings(fallback, { priority: 20 }),
    },
  };
});

afterAll(async () => {
  await scene.close();
  await primary.close();
  await fallback.close();
});

const attemptsAtPrimary = (): number =>
  scene.events.filter((event) => event.type === "attempt.started" && event.provider === "primary").length;

test("a From that one gateway finds refused is offered by no other, nor by one that comes later", async () => {
  const first = await scene.start(settings);
  const second = await scene.start(settings);
  primary.setFault({ kind: "reply", at: "mail", text: "554 Message rejected: Email address is not verified." });
  expect(await scene.relayed(await scene.push(mail()))).toMatchObject({ provider: "fallback", attemptCount: 2 });
  const knows = (gateway: typeof first): boolean => !gateway.gates[0]!.admit({ id: "m", from: FROM }).open;
  await until("both know", () => knows(first) && knows(second));
  await Promise.all([first.stop(), second.stop()]);

  const third = await scene.start(settings);
  expect(knows(third)).toBe(true);
  const record = await scene.relayed(await scene.push(mail()));
  expect(record).toMatchObject({ provider: "fallback", attemptCount: 1 });
  const reason = expect.stringMatching(/^refuses this From: \d\.\d\.\d+, as a gateway was told/);
  expect(record.skipped).toContainEqual({ provider: "primary", reason });
  expect(attemptsAtPrimary()).toBe(1);
});

test("other mail goes there, and an operator is told which does not", async () => {
  primary.setFault(null);
  const other = await scene.relayed(await scene.push(mail({ from: "other@contoso.example" })));
  expect(other).toMatchObject({ provider: "primary", attemptCount: 1 });
  const report = await routeReport(scene.config(settings), scene.redis, { from: FROM });
  expect(formatRoute(report)).toMatch(/primary.*refuses this From: \d\.\d\.\d+, as a gateway was told/);
});

test("nothing in Redis shows the address, and all of it ends by itself", async () => {
  const [key = ""] = await scene.redis.keys("mailover:refused:*");
  const [text = ""] = await scene.redis.zrange(key, "0", "-1");
  expect(text).toMatch(/^[\w-]{22} \d\.\d\.\d+, as a gateway was told$/);
  expect(await scene.redis.pttl(key)).toBeGreaterThan(3_500_000);
});

test("when somebody says so, it is offered again", async () => {
  expect(await forgetRefusals(scene.redis, "primary")).toBe(1);
  await until("it goes there", async () => (await scene.relayed(await scene.push(mail()))).provider === "primary");
  const report = await routeReport(scene.config(settings), scene.redis, { from: FROM });
  expect(formatRoute(report)).not.toContain("refuses this From");
});
