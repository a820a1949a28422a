import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Gateway } from "../../src/app.ts";
import { LAB_ACCOUNT, startLab } from "../../src/lab/index.ts";
import type { Lab } from "../../src/lab/index.ts";
import { MailQueue } from "../../src/queue/mail-queue.ts";
import { Scene, mail, microsoft365Settings, relaySettings, until } from "./gateway.ts";

let scene: Scene;
let lab: Lab;

beforeEach(async () => {
  scene = await Scene.open();
  lab = await startLab({ exchange: { overRate: "off", connectionsPerMailbox: 20 } });
});

afterEach(async () => {
  await scene.close();
  await lab.close();
});

/** Microsoft 365 first, then a relay. `queue`: whose mail this gateway takes. */
function start(queue = "mail"): Promise<Gateway> {
  return scene.start({
    queue: { name: queue },
    breaker: { openMs: 500, rampPercents: [], rampStepMs: 1000 },
    providers: {
      microsoft365: microsoft365Settings(lab, {
        priority: 10,
        limits: { perMinute: null, connections: null },
      }),
      relay: relaySettings(lab.relay, { priority: 20 }),
    },
  });
}

const letter = (): object => mail({ from: LAB_ACCOUNT.mailbox });
const providerOfOne = async (): Promise<string | null> => (await scene.relayed(await scene.push(letter()))).provider;

/** Exchange hangs up, so that the next message has to sign in with a token. */
async function hangUp(): Promise<void> {
  await lab.exchange.setFault({ kind: "refuse" });
  await until("no connection is open", () => lab.exchange.connections === 0);
  await lab.exchange.setFault(null);
}

const noticed = (notice: string): number =>
  scene.events.filter((event) => event.type === "provider.noticed" && event.notice === notice).length;

test("mail flows for as long as the token lives, also by a gateway that starts meanwhile", async () => {
  const lifetimeMs = 12_000;
  lab.entra.setRules({ tokenLifetimeS: lifetimeMs / 1000 });
  const first = await start();
  const bornAt = Date.now();
  expect(await providerOfOne()).toBe("microsoft365");
  await lab.entra.setFault({ kind: "refuse" });

  // Past half of its life, where it would have been refreshed.
  await until("a refresh has failed", () => noticed("token.refresh.failed") > 0);
  expect(Date.now() - bornAt).toBeGreaterThan(lifetimeMs * 0.4);
  await hangUp();
  expect(await providerOfOne()).toBe("microsoft365");

  // A gateway that has no token of its own, and cannot get one.
  await first.stop();
  await start();
  expect(await providerOfOne()).toBe("microsoft365");
  expect(noticed("token.shared")).toBe(1);
  expect(lab.entra.tokenRequestCount()).toBe(1);
  expect(lab.relay.accepted).toHaveLength(0);
  expect(lab.exchange.accepted).toHaveLength(3);

  // It cannot live on after the end that Entra ID gave it.
  await sleep(Math.max(0, bornAt + lifetimeMs + 500 - Date.now()));
  await hangUp();
  expect(await providerOfOne()).toBe("relay");

  await lab.entra.setFault(null);
  await until("mail goes by Microsoft 365 again", async () => (await providerOfOne()) === "microsoft365", 20_000);
}, 60_000);

test("five gateways ask for one token in each half of its life", async () => {
  lab.entra.setRules({ tokenLifetimeS: 12 });
  const queues = Array.from({ length: 5 }, (_, index) => `mail-${index}`);
  await Promise.all(queues.map((queue) => start(queue)));
  const doors = queues.map((name) => new MailQueue({ name, prefix: "bull" }, scene.redis));
  const relayedCount = (): number => scene.events.filter(({ type }) => type === "message.relayed").length;

  await Promise.all(doors.map((door) => door.push(letter())));
  await until("each gateway has sent its message", () => relayedCount() === 5);
  expect(lab.entra.tokenRequestCount()).toBe(1);
  expect(noticed("token.acquired")).toBe(1);
  expect(noticed("token.shared")).toBe(4);

  // When the half is over one asks, and all of them go on with what it got.
  await until("all have taken the second token over", () => noticed("token.shared") === 8, 20_000);
  expect(lab.entra.tokenRequestCount()).toBe(2);
  await hangUp();
  await Promise.all(doors.map((door) => door.push(letter())));
  await until("each gateway has sent another", () => relayedCount() === 10);
  expect(lab.entra.tokenRequestCount()).toBe(2);
  expect(lab.exchange.accepted).toHaveLength(10);
  await Promise.all(doors.map((door) => door.close()));
}, 60_000);

test("nobody who reads Redis finds the token", async () => {
  await start();
  expect(await providerOfOne()).toBe("microsoft365");
  const keys = await scene.redis.keys("mailover:cache:*");
  expect(keys).toHaveLength(2);
  const sealed = keys.find((key) => !key.endsWith(":lead")) ?? "";
  const value = (await scene.redis.get(sealed)) ?? "";
  expect(value).toMatch(/^1\./);
  const stored = Buffer.from(value.slice(2), "base64").toString("latin1");
  for (const text of [value, stored]) expect(text).not.toMatch(/eyJ|lab-client-secret|accessToken/);
  for (const key of keys) expect(await scene.redis.pttl(key)).toBeGreaterThan(0);
  expect(scene.logged.join("")).not.toMatch(/eyJ|lab-client-secret/);
});
