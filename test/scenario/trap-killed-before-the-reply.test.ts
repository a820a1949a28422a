import { afterEach, beforeEach, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer, SmtpFault } from "../../src/lab/index.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";
import { severable } from "./severable-redis.ts";
import type { SeverableRedis } from "./severable-redis.ts";
import { giveUpLock, lookForStalled } from "./stalled-jobs.ts";

let scene: Scene;
let relay: RelayServer;
let way: SeverableRedis;

beforeEach(async () => {
  scene = await Scene.open();
  relay = await startRelay();
  way = await severable(scene.redisUrl);
});

afterEach(async () => {
  way.mend();
  await scene.close();
  await relay.close();
  await way.close();
});

const settings = (redisUrl: string): { [key: string]: unknown } => ({
  redis: { url: redisUrl },
  delivery: { shutdownMs: 1_000, slowAfterMs: 60_000 },
  retry: { delaysMs: [200], jitterPercent: 0 },
  providers: { relay: relaySettings(relay) },
});

const atTheDot: SmtpFault = { kind: "silence", at: "dot", accepted: true };
const atTheDotInVain: SmtpFault = { kind: "silence", at: "dot", accepted: false };
const beforeTheContent: SmtpFault = { kind: "silence", at: "data" };

const cases: readonly [
  name: string,
  fault: SmtpFault,
  onUncertain: string,
  status: string,
  copies: number,
  marked: boolean,
][] = [
  ["accepted, retry: a second copy, marked as such", atTheDot, "retry", "relayed", 2, true],
  ["accepted, resend: a second copy, marked as such", atTheDot, "resend", "relayed", 2, true],
  ["accepted, hold: no second copy", atTheDot, "hold", "held", 1, false],
  ["not accepted, retry: one copy, marked since nobody can tell", atTheDotInVain, "retry", "relayed", 1, true],
  ["not accepted, hold: it waits for somebody", atTheDotInVain, "hold", "held", 0, false],
  ["before its content, retry: sent again, and not marked", beforeTheContent, "retry", "relayed", 1, false],
  ["before its content, hold: sent again, and not held", beforeTheContent, "hold", "relayed", 1, false],
];

for (const [name, fault, onUncertain, status, copies, marked] of cases) {
  test(`its worker is gone while the reply is awaited; ${name}`, async () => {
    await relay.setFault(fault);
    const gone = await scene.start(settings(way.url));
    const jobId = await scene.push(mail({ onUncertain }));
    await until("the server is silent", () => relay.transcript.some(({ text }) => /^(DATA|\.)$/.test(text.trim())));
    if (fault === atTheDot) await until("it is accepted", () => relay.accepted.length === 1);
    if (fault !== beforeTheContent) {
      // Else the fault could be gone before the dot is there, and the first copy accepted after all.
      await until("the dot is there", () => relay.transcript.some(({ text }) => text.startsWith("<content")));
      await until("the content is out", async () => {
        const keys = await scene.redis.keys("mailover:ledger:*}");
        return (await scene.redis.hget(keys[0] ?? "", "mark")) === "1";
      });
    }
    way.cut();
    await relay.setFault(null);
    await giveUpLock(scene, jobId);
    await scene.start(settings(scene.redisUrl));
    await lookForStalled(scene);
    await until(`it is ${status}`, async () => (await scene.ledgerStatus(jobId)) === status);
    const isHeld = status === "held";
    if (isHeld) await until("its job waits", async () => (await scene.queue.counts())["delayed"] === 1);
    const record = isHeld ? await scene.progress(jobId) : await scene.relayed(jobId);
    expect(record).toMatchObject({ status, possibleDuplicate: marked, attemptCount: isHeld ? 1 : 2 });
    expect(relay.accepted).toHaveLength(copies);
    // Back from the dead, it changes nothing.
    way.mend();
    await gone.stop();
    expect(relay.accepted).toHaveLength(copies);
    expect(await scene.ledgerStatus(jobId)).toBe(status);
  });
}
