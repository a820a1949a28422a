import { afterEach, beforeEach, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";

const MESSAGE_COUNT = 1_500;
const POISONED = "poison@example.org";

let scene: Scene;
let relay: RelayServer;
let other: RelayServer;

beforeEach(async () => {
  scene = await Scene.open();
  relay = await startRelay({ name: "first" });
  other = await startRelay({ name: "second" });
  await scene.start({
    delivery: { concurrency: 20, slowAfterMs: 60_000 },
    retry: { delaysMs: [50], jitterPercent: 0 },
    providers: { first: relaySettings(relay, { priority: 10 }), second: relaySettings(other, { priority: 20 }) },
  });
});

afterEach(async () => {
  await scene.close();
  await relay.close();
  await other.close();
});

const poisons: readonly [name: string, text: string, becomes: string][] = [
  ["refused for good", "550 5.1.1 no such user", "bounced"],
  ["put off for ever", "450 4.2.0 Greylisted, come back later", "deferred"],
  ["refused as malformed", "550 5.6.0 message content rejected", "bounced"],
];

for (const [name, text, becomes] of poisons) {
  test(`one message ${name} among ${MESSAGE_COUNT} opens no breaker and delays nobody`, async () => {
    for (const server of [relay, other]) {
      await server.setFault({ kind: "reply", at: "rcpt", text, recipient: `^${POISONED.replace(".", "\\.")}$` });
    }
    const poison = await scene.push(mail({ to: POISONED }));
    for (let batch = 0; batch < MESSAGE_COUNT; batch += 100) {
      await Promise.all(Array.from({ length: 100 }, () => scene.push(mail())));
    }
    const left = async (): Promise<number> => {
      const { waiting = 0, prioritized = 0, completed = 0 } = await scene.queue.counts();
      return waiting + prioritized + (MESSAGE_COUNT - completed);
    };
    await until("all others are relayed", async () => (await left()) === 0, 60_000);
    await until(`it is ${becomes}`, () =>
      scene.events.some((event) => event.type === `message.${becomes}` && "jobId" in event && event.jobId === poison),
    );
    expect(scene.events.filter(({ type }) => type === "breaker.changed")).toEqual([]);
    expect(relay.accepted).toHaveLength(MESSAGE_COUNT);
    expect(other.accepted).toHaveLength(0);
    const othersPutOff = scene.events.filter((event) => event.type === "message.deferred" && event.jobId !== poison);
    expect(othersPutOff).toEqual([]);
  }, 90_000);
}
