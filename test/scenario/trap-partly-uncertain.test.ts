import { afterEach, beforeEach, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { Scene, mail, relaySettings } from "./gateway.ts";

let scene: Scene;
let relay: RelayServer;

beforeEach(async () => {
  scene = await Scene.open();
  relay = await startRelay();
  await scene.start({
    breaker: { openMs: 200, uncertainOpenMs: 1_000 },
    retry: { delaysMs: [200], jitterPercent: 0 },
    providers: { relay: relaySettings(relay) },
  });
});

afterEach(async () => {
  await scene.close();
  await relay.close();
});

for (const putOff of ["ann@example.org", "bob@example.org"]) {
  test(`an answer lost for one recipient, while ${putOff} was put off: the second copy is marked`, async () => {
    await relay.setFaults([
      { kind: "reply", at: "rcpt", text: "451 4.3.0 Try again later", recipient: putOff, count: 1 },
      { kind: "drop", at: "dot", accepted: true, count: 1 },
    ]);
    const to = ["ann@example.org", "bob@example.org"];
    const record = await scene.relayed(await scene.push(mail({ to, onUncertain: "retry" })));
    const [first, second] = relay.accepted;
    expect(first?.rcptTo).toEqual(to.filter((address) => address !== putOff));
    expect(second?.rcptTo).toEqual(to);
    expect(record).toMatchObject({ attemptCount: 2, possibleDuplicate: true });
  });
}
