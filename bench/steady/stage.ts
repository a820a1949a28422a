import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MailQueue } from "../../src/queue/mail-queue.ts";
import { closeRedis, connectRedis } from "../../src/redis/connection.ts";
import { startEmbeddedStore } from "../../src/redis/embedded.ts";
import { Child } from "./child.ts";

/** Connections to the relay at once: the default of a provider of kind smtp. */
export const CONNECTIONS = 10;

/** No message of the bench may take so long. */
const STUCK_AFTER_MS = 60_000;

/** What each part of the bench runs on: a store and a relay, each a process, and a queue to push into. */
export type Stage = {
  readonly relay: Child<"relay">;
  readonly queue: MailQueue;
  readonly storeDescription: string;
  /** A gateway in a process of its own, on default settings but for its provider. */
  startGateway(): Promise<Child<"gateway">>;
};

export async function withStage<T>(run: (stage: Stage) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "mailover-bench-"));
  let storeDescription = "";
  const store = await startEmbeddedStore({ dataDir: folder, log: (sentence) => (storeDescription = sentence) });
  const redis = connectRedis(
    { url: store.url },
    { use: "blocking", connectionName: "bench", onError: () => undefined },
  );
  const queue = new MailQueue({ name: "mail", prefix: "bull" }, redis);
  const relay = await Child.start("relay", {});
  const provider = { kind: "smtp", host: "127.0.0.1", port: relay.ready["port"], tls: "none" };
  const settings = {
    redis: { url: store.url },
    providers: { relay: { ...provider, priority: 10, connections: CONNECTIONS } },
  };
  try {
    return await run({ relay, queue, storeDescription, startGateway: () => Child.start("gateway", settings) });
  } finally {
    await relay.stop();
    await queue.close();
    await closeRedis(redis);
    await store.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Waits until the relay has accepted so many. Throws where it gets no further. */
export async function untilAccepted(relay: Child<"relay">, count: number): Promise<void> {
  let last = { count: 0, at: Date.now() };
  while (last.count < count) {
    await sleep(50);
    const accepted = await relay.ask("count");
    if (accepted > last.count) last = { count: accepted, at: Date.now() };
    if (Date.now() - last.at > STUCK_AFTER_MS) throw new Error(`stuck after ${accepted} of ${count} messages`);
  }
}
