import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { providersReport } from "../../src/cli/providers.ts";
import { routeReport } from "../../src/cli/route.ts";
import type { RouteOptions } from "../../src/cli/route.ts";
import type { Config } from "../../src/config/index.ts";
import { Control } from "../../src/control/control.ts";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { formatProviders } from "../../src/operations/format-providers.ts";
import { formatRoute } from "../../src/operations/format-route.ts";
import { closeRedis, connectRedis } from "../../src/redis/connection.ts";
import { freePort } from "../unit/redis/real-server.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";

let scene: Scene;
let config: Config;
let settings: { [key: string]: unknown };
let first: RelayServer;
let second: RelayServer;
let third: RelayServer;

const FROM = "app@contoso.example";
const WORKS = "works, takes all of its mail";

beforeAll(async () => {
  scene = await Scene.open();
  [first, second, third] = await Promise.all([
    startRelay({ name: "first" }),
    startRelay({ name: "second" }),
    startRelay({ name: "third" }),
  ]);
  settings = {
    // Steps that a busy machine does not miss.
    breaker: { openMs: 500, openMaxMs: 500, rampPercents: [5], rampStepMs: 20_000 },
    retry: { delaysMs: [300], jitterPercent: 0 },
    routes: [{ when: { class: "bulk" }, use: ["second", "third"] }],
    providers: {
      first: relaySettings(first, { priority: 10 }),
      second: relaySettings(second, { priority: 20, limits: { perMinute: 2 } }),
      third: relaySettings(third, { priority: 30, from: { "contoso.example": "mail@send.contoso.example" } }),
    },
  };
  config = scene.config(settings);
});

afterAll(async () => {
  await scene.close();
  await Promise.all([first, second, third].map((relay) => relay.close()));
});

/** The lines of `mailover providers`. */
async function lines(): Promise<string[]> {
  return formatProviders(await providersReport(config, scene.redis)).split("\n");
}

/** The line on one provider. */
async function lineOf(provider: string): Promise<string> {
  return (await lines()).find((line) => line.startsWith(`${provider} (`)) ?? "";
}

async function untilLine(provider: string, text: string): Promise<void> {
  await until(`${provider}: ${text}`, async () => (await lineOf(provider)).includes(text));
}

/** The lines of `mailover route`. */
async function route(options: Partial<RouteOptions> = {}): Promise<string[]> {
  return formatRoute(await routeReport(config, scene.redis, { from: FROM, ...options })).split("\n");
}

async function providerOf(message: object): Promise<string | null> {
  return (await scene.relayed(await scene.push(message))).provider;
}

const control = () =>
  new Control({ redis: scene.redis, providers: Object.keys(config.providers), pools: {}, suggest: () => null });

describe("an operator sees how providers stand, and which way mail goes", () => {
  test("before a gateway runs", async () => {
    expect(await lines()).toEqual([
      `first (smtp, priority 10): ${WORKS}`,
      `second (smtp, priority 20): ${WORKS}`,
      "  left: 2 of 2 messages this minute",
      `third (smtp, priority 30): ${WORKS}`,
      expect.stringContaining("no gateway is running"),
      "nothing is changed at run time",
    ]);
    expect(await route()).toContain("no gateway is running: all mail waits; to start one: mailover start");
  });

  test("when all is well", async () => {
    await scene.start(settings);
    await until("the worker is seen", async () => (await lines()).some((line) => line.startsWith("1 worker: ")));
    const [what, ...way] = await route();
    expect(what).toMatch(/^class transactional, from app@contoso\.example, 1 recipient, \d+ bytes$/);
    expect(way).toEqual([
      "order: by priority",
      "1. first: takes it",
      "2. second: next, where those before it do not take it",
      "   left: 2 of 2 messages this minute",
      "3. third: next, where those before it do not take it",
      "   From becomes mail@send.contoso.example",
    ]);
    expect(await providerOf(mail())).toBe("first");
  });

  test("which rule a message falls under, and who cannot have it", async () => {
    expect(await route({ class: "bulk", size: "11000000" })).toEqual([
      "class bulk, from app@contoso.example, 1 recipient, 11,000,000 bytes",
      "order: routes[0], class bulk: second, then third",
      "1. second: takes it",
      "   left: 2 of 2 messages this minute",
      "2. third: next, where those before it do not take it",
      "   From becomes mail@send.contoso.example",
      "-  first: skipped: it is not on the route of such mail",
    ]);
    await expect(route({ size: "12x" })).rejects.toThrow('--size: "12x" is no number of bytes from 1 to ');
    await expect(route({ from: "nobody" })).rejects.toThrow('from: "nobody"');
  });

  test("a provider that is drained, by whom, and how to undo it", async () => {
    await control().drain("first", { by: "ann@desk", reason: "invoices are late" }, { forMs: 3_600_000 });
    const undo = "to end it: mailover resume first";
    expect(await lineOf("first")).toMatch(
      /takes no mail; drained by ann@desk until \S+ \(in 60 min\): invoices are late/,
    );
    expect(await lineOf("first")).toContain(undo);
    expect((await route()).at(-1)).toMatch(/^- {2}first: skipped: drained by ann@desk until \S+: invoices are late; /);
    expect((await route()).at(-1)).toContain(undo);
    expect((await lines()).at(-1)).toMatch(/^changed at run time by ann@desk: first gets no mail until /);

    await control().resume("first", { by: "ann@desk", reason: "" });
    expect(await lineOf("first")).toContain(WORKS);
    expect((await lines()).at(-1)).toBe("nothing is changed at run time");
  });

  test("a provider that is down, since when, and what to type", async () => {
    await first.setFault({ kind: "refuse" });
    const providers = await Promise.all([1, 2].map(() => providerOf(mail())));
    expect(providers).toEqual(["second", "second"]);
    await until("first is open", async () => {
      await providerOf(mail({ class: "otp", providers: ["first", "third"] }));
      return (await lineOf("first")).includes("breaker open for the fleet");
    });
    expect(await lineOf("first")).toContain("ECONNREFUSED");
    const shown = await lines();
    expect(shown[1]).toMatch(/^ {2}to (mend it: |see where it breaks: mailover verify first)/);
    expect(shown[2]).toMatch(/^ {2}last failure \d+ s ago, at \S+: /);
  });

  test("a limit that is used up: who waits for its slot, and who goes elsewhere", async () => {
    expect(await lineOf("second")).toContain("works; at its limit: 2 messages a minute are used up");
    const bulk = await route({ class: "bulk" });
    expect(bulk[2]).toMatch(
      /^1\. second: such mail waits for it until \S+ \(in \d+ s\): 2 messages a minute are used up$/,
    );
    expect(bulk).toContain("so it waits for second");
    const job = await scene.push(mail({ class: "bulk" }));
    await until("bulk waits", async () => (await scene.progress(job)).status === "deferred");
    expect(await scene.progress(job)).toMatchObject({ reason: expect.stringContaining("second: 2 messages a minute") });
    await until("it is seen in line", async () =>
      (await lines()).includes("  left: 0 of 2 messages this minute (1 wait in line)"),
    );
    expect(await route({ class: "otp" })).toContain("3. third: takes it");
    expect(await providerOf(mail({ class: "otp" }))).toBe("third");
  });

  test("a provider that throttles us, in its own words, without the address in them", async () => {
    third.setFault({ kind: "reply", at: "mail", text: "450 4.7.1 Error: too much mail from app@contoso.example" });
    const job = await scene.push(mail({ providers: ["third"] }));
    await untilLine("third", "throttled until ");
    expect(await lineOf("third")).toContain("too much mail from ‹hidden›@contoso.example");
    expect((await route({ providers: ["third"] }))[2]).toMatch(/^1\. third: skipped until /);
    expect((await route({ providers: ["third"], class: "bulk" }))[2]).toMatch(
      /^1\. third: such mail waits for it until /,
    );
    third.setFault(null);
    await until("it waits", async () => (await scene.progress(job)).status === "deferred");
  });

  test("a provider on its way back, and what of its mail it gets", async () => {
    await first.setFault(null);
    await untilLine("first", "takes 5 % of its mail; on its way back, the next step at ");
    expect((await route({ class: "otp" }))[2]).toMatch(/^1\. first: takes (it|5 % of such mail): on its way back/);
  });

  test("while Redis is away, one sentence", async () => {
    const away = connectRedis(
      { url: `redis://127.0.0.1:${await freePort()}` },
      { use: "commands", connectionName: "test", onError: () => undefined },
    );
    const sentence = /^Redis does not answer, so nobody knows how providers stand$/;
    await expect(providersReport(config, away)).rejects.toThrow(sentence);
    await expect(routeReport(config, away, { from: FROM })).rejects.toThrow(sentence);
    await closeRedis(away);
  });
});
