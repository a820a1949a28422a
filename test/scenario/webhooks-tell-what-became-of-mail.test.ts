import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { startReceiver } from "../unit/events/receiver.ts";
import type { Receiver } from "../unit/events/receiver.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";

const KEY = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

let scene: Scene;
let relay: RelayServer;
let receiver: Receiver;

beforeEach(async () => {
  scene = await Scene.open();
  relay = await startRelay();
  receiver = await startReceiver();
});

afterEach(async () => {
  await scene.close();
  await relay.close();
  await receiver.close();
});

const settings = (webhook: object = {}): { [key: string]: unknown } => ({
  providers: { relay: relaySettings(relay) },
  webhooks: { app: { url: receiver.url, secret: KEY, ...webhook } },
});

function told(): { type: string; data: { [key: string]: unknown } }[] {
  return receiver.requests.map(
    ({ body, headers }) =>
      new Webhook(KEY).verify(body, headers as Record<string, string>) as ReturnType<typeof told>[number],
  );
}

test("an app is told that its mail was relayed and that it bounced, without a word of the content", async () => {
  await scene.start(settings());
  const record = await scene.relayed(await scene.push(mail({ text: "the-content", metadata: { orderId: 7 } })));
  relay.setFault({ kind: "reply", at: "rcpt", text: "550 5.1.1 No such user" });
  await scene.end(await scene.push(mail({ to: "nobody@example.org" })));
  await until("both were told", () => receiver.requests.length === 2);
  const [relayed, bounced] = told().toSorted((a, b) => b.type.localeCompare(a.type));
  expect(relayed).toMatchObject({
    type: "message.relayed",
    data: { id: record.id, messageId: record.messageId, provider: "relay", metadata: { orderId: 7 } },
  });
  expect(bounced).toMatchObject({
    type: "message.bounced",
    data: { recipients: [{ address: "nobody@example.org", status: "refused" }] },
  });
  expect(JSON.stringify(receiver.requests)).not.toContain("the-content");
});

test("an app that is down for a while is told all the same, and no secret is logged", async () => {
  receiver.answers.push(503);
  await scene.start(settings());
  await scene.relayed(await scene.push(mail()));
  await until("the second try was made", () => receiver.requests.length === 2);
  expect(told().map(({ type }) => type)).toEqual(["message.relayed", "message.relayed"]);
  const logged = scene.logged.join("\n");
  expect(logged).toContain("webhook app, message.relayed of");
  for (const hidden of [KEY, KEY.slice("whsec_".length), "url-token"]) expect(logged).not.toContain(hidden);
});
