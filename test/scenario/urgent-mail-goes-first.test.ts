import { Queue } from "bullmq";
import type { ConnectionOptions } from "bullmq";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { Scene, mail, relaySettings, until } from "./gateway.ts";

let scene: Scene;
let relay: RelayServer;

beforeAll(async () => {
  scene = await Scene.open();
  relay = await startRelay();
});

afterAll(async () => {
  await scene.close();
  await relay.close();
});

const subjectsOf = (): string[] =>
  relay.accepted.map(({ content }) => /^Subject: (.*)\r$/m.exec(content.toString("latin1"))?.[1] ?? "");

test("passwords go before transactional mail before bulk, whoever pushed them and without priorities", async () => {
  const queue = new Queue("mail", { connection: scene.redis as unknown as ConnectionOptions });
  const push = (name: string, count: number): object[] =>
    Array.from({ length: count }, (_, index) => ({ name, data: mail({ class: name, subject: `${name} ${index}` }) }));
  await queue.addBulk([...push("bulk", 20), ...push("transactional", 10), ...push("otp", 3)] as {
    name: string;
    data: object;
  }[]);
  await scene.start({ delivery: { concurrency: 1 }, providers: { relay: relaySettings(relay) } });
  await until("all are relayed", () => relay.accepted.length === 33);
  const order = subjectsOf().map((subject) => subject.split(" ")[0]);
  expect(order.slice(0, 3)).toEqual(["otp", "otp", "otp"]);
  expect(order.slice(3, 13)).toEqual(Array.from({ length: 10 }, () => "transactional"));
  // Within a class they keep the order they came in.
  expect(subjectsOf().slice(13)).toEqual(Array.from({ length: 20 }, (_, index) => `bulk ${index}`));
  await queue.close();
});
