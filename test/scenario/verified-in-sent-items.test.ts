import { afterEach, beforeEach, expect, test } from "vitest";
import { LAB_ACCOUNT, startLab } from "../../src/lab/index.ts";
import type { Lab } from "../../src/lab/index.ts";
import { Scene, mail, microsoft365Settings, relaySettings } from "./gateway.ts";

let scene: Scene;
let lab: Lab;

beforeEach(async () => {
  scene = await Scene.open();
  lab = await startLab();
  await scene.start({
    retry: { delaysMs: [200] },
    providers: {
      microsoft365: microsoft365Settings(lab, {
        priority: 10,
        verifyWithGraph: true,
        graph: { url: lab.graph.url },
      }),
      relay: relaySettings(lab.relay, { priority: 20 }),
    },
  });
});

afterEach(async () => {
  await scene.close();
  await lab.close();
});

const push = (more: object = {}): Promise<string> => scene.push(mail({ from: LAB_ACCOUNT.mailbox, ...more }));

test("an answer that was lost is looked for, and found: no second copy", async () => {
  await lab.exchange.setFault({ kind: "drop", at: "dot", accepted: true, count: 1 });
  const record = await scene.relayed(await push());
  expect(record).toMatchObject({
    status: "relayed",
    provider: "microsoft365",
    remoteId: record.messageId,
    attemptCount: 1,
    possibleDuplicate: false,
    unsettled: false,
    recipients: [{ status: "relayed", provider: "microsoft365" }],
  });
  expect(lab.exchange.accepted).toHaveLength(1);
  expect(lab.relay.accepted).toHaveLength(0);
});

test("where nothing can be said, it is asked four times, and then goes to the same provider again", async () => {
  await lab.exchange.setFault({ kind: "drop", at: "dot", accepted: false, count: 1 });
  const record = await scene.relayed(await push());
  expect(record).toMatchObject({ provider: "microsoft365", attemptCount: 2, lookupCount: 4, possibleDuplicate: true });
  expect(lab.exchange.accepted).toHaveLength(1);
  expect(lab.relay.accepted).toHaveLength(0);
});
