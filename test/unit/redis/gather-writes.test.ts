import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Redis } from "ioredis";
import { connectRedis } from "../../../src/redis/connection.ts";
import { startEmbeddedStore } from "../../../src/redis/embedded.ts";
import type { EmbeddedStore } from "../../../src/redis/embedded.ts";
import { gatherWrites } from "../../../src/redis/gather-writes.ts";
import { temporaryFolder } from "./real-server.ts";

let store: EmbeddedStore;
let client: Redis;
let folder: ReturnType<typeof temporaryFolder>;

beforeEach(async () => {
  folder = temporaryFolder();
  store = await startEmbeddedStore({ dataDir: folder.path, log: () => undefined });
  const options = { use: "commands", connectionName: "test", onError: () => undefined } as const;
  client = connectRedis({ url: store.url }, options) as Redis;
});

afterEach(async () => {
  client.disconnect();
  await store.stop();
  folder.remove();
});

/** So many writes to the socket as this takes. */
async function writesOf(act: () => Promise<unknown>): Promise<number> {
  const single = vi.spyOn(client.stream, "_write");
  const joined = vi.spyOn(client.stream, "_writev" as "_write");
  await act();
  const count = single.mock.calls.length + joined.mock.calls.length;
  vi.restoreAllMocks();
  return count;
}

const increments = (count: number, before: () => void): Promise<number[]> =>
  Promise.all(
    Array.from({ length: count }, () => {
      before();
      return client.incr("counter");
    }),
  );

test("all commands of one turn go out in one write, each with its own answer", async () => {
  await client.ping();
  expect(await writesOf(() => increments(20, () => undefined))).toBe(20);
  expect(await writesOf(async () => expect(await increments(20, () => gatherWrites(client))).toHaveLength(20))).toBe(1);
  // And the next turn is not held back by the one before.
  expect(await increments(2, () => gatherWrites(client))).toEqual([41, 42]);
});

test("a connection that breaks meanwhile leaves no command without an answer", async () => {
  await client.ping();
  const answers = increments(20, () => gatherWrites(client));
  client.stream.destroy(new Error("cut"));
  expect(await answers).toHaveLength(20);
  expect(await increments(1, () => gatherWrites(client))).toEqual([21]);
});

test("before the first connection nothing is gathered, and nothing lost", async () => {
  expect(await increments(3, () => gatherWrites(client))).toEqual([1, 2, 3]);
});
