import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";

import { Queue, QueueEvents, Worker } from "bullmq";
import { generate } from "selfsigned";
import { afterEach, describe, expect, test, vi } from "vitest";

import { closeRedis, connectRedis, retryDelayMs } from "../../../src/redis/connection.ts";
import type { RedisClient, RedisSettings } from "../../../src/redis/connection.ts";
import { freePort, redisServer, startRedis, temporaryFolder } from "./real-server.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function connection(
  settings: RedisSettings,
  use: "commands" | "blocking" = "commands",
): { client: RedisClient; errors: string[] } {
  const errors: string[] = [];
  const client = connectRedis(settings, { use, connectionName: "test", onError: (sentence) => errors.push(sentence) });
  cleanups.push(() => closeRedis(client));
  return { client, errors };
}

async function redis(options: Parameters<typeof startRedis>[0]): Promise<string> {
  const server = await startRedis(options);
  cleanups.push(() => server.stop());
  return server.url;
}

describe("the address", () => {
  test.each(["", "nowhere", "http://localhost", "redis//:secret@x"])("%j is refused, unrepeated", (url) => {
    const options = { use: "commands", connectionName: "test", onError: () => undefined } as const;
    expect(() => connectRedis({ url }, options)).toThrow("redis.url is no redis:// or rediss:// address");
  });

  const cases: readonly [rule: string, settings: RedisSettings, want: Record<string, unknown>][] = [
    ["host, port and database", { url: "redis://mail.test:7000/3" }, { host: "mail.test", port: 7000, db: 3 }],
    ["defaults", { url: "redis://mail.test" }, { host: "mail.test", port: 6379, db: 0 }],
    ["IPv6", { url: "redis://[::1]:7000" }, { host: "::1", port: 7000 }],
    ["escaped credentials", { url: "redis://me:p%40ss@mail.test" }, { username: "me", password: "p@ss" }],
    ["settings over the url", { url: "redis://me:a@mail.test", password: "b" }, { username: "me", password: "b" }],
    ["rediss is TLS", { url: "rediss://mail.test" }, { tls: {} }],
    ["TLS settings are TLS", { url: "redis://mail.test", tls: { servername: "x" } }, { tls: { servername: "x" } }],
    ["a lone % stays", { url: "redis://:100%@mail.test" }, { password: "100%" }],
    ["no option by the url", { url: "redis://mail.test?tls=no&maxRetriesPerRequest=9" }, { maxRetriesPerRequest: 2 }],
  ];
  test.each(cases)("%s", (_rule, settings, want) => {
    const options = { use: "commands", connectionName: "test", onError: () => undefined } as const;
    const client = connectRedis(settings, options);
    client.disconnect();
    expect(client.options).toMatchObject(want);
  });
});

test("reconnections come later and later, up to a cap, and not all at once", () => {
  const delays = [1, 2, 3, 8, 20, 5_000].map((retry) => retryDelayMs(retry, 5_000, () => 1));
  expect(delays).toEqual([50, 100, 200, 5_000, 5_000, 5_000]);
  expect(retryDelayMs(20, 5_000, () => 0)).toBe(3_750);
});

test("while Redis is away a command fails within seconds", async () => {
  const { client, errors } = connection({ url: `redis://127.0.0.1:${await freePort()}` });
  await expect(client.get("mail")).rejects.toThrow("max retries per request");
  expect(errors[0]).toMatch(/ECONNREFUSED/);
});

describe.skipIf(redisServer === null)("with a real server", () => {
  test("a blocking connection waits for Redis and then carries the command out", async () => {
    const port = await freePort();
    const { client, errors } = connection({ url: `redis://127.0.0.1:${port}` }, "blocking");
    const waiting = client.set("mail", "waits");
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(1), { timeout: 10_000 });
    await redis({ port });
    expect(await waiting).toBe("OK");
  });

  test("a password opens, and a wrong one is not repeated", async () => {
    const password = "p@ss:w/rd";
    const url = await redis({ port: await freePort(), args: ["--requirepass", password], password });
    expect(await connection({ url }).client.ping()).toBe("PONG");

    const wrong = connection({ url, password: "guess-4711" });
    await expect(wrong.client.ping()).rejects.toThrow("WRONGPASS");
    expect(wrong.errors[0]).toMatch(/WRONGPASS/);
    expect(wrong.errors.join()).not.toContain("guess-4711");
  });

  test("TLS needs the certificate's authority", async () => {
    const url = new URL(await redis({ port: await freePort() }));
    const pems = await generate([{ name: "commonName", value: "localhost" }], {
      extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] }],
    });
    const front = createTlsServer({ key: pems.private, cert: pems.cert }, (socket) => {
      const inner = connect(Number(url.port), "127.0.0.1");
      socket.on("error", () => inner.destroy()).on("close", () => inner.destroy());
      inner.on("error", () => socket.destroy()).on("close", () => socket.destroy());
      socket.pipe(inner).pipe(socket);
    });
    front.listen(0, "127.0.0.1");
    await once(front, "listening");
    cleanups.push(() => front.close());
    const tlsUrl = `rediss://127.0.0.1:${(front.address() as AddressInfo).port}`;

    const trusting = connection({ url: tlsUrl, tls: { ca: pems.cert, servername: "localhost" } });
    expect(await trusting.client.ping()).toBe("PONG");
    const strict = connection({ url: tlsUrl, tls: { servername: "localhost" } });
    await expect(strict.client.ping()).rejects.toThrow("max retries per request");
    expect(strict.errors[0]).toMatch(/self-signed certificate/);
  });

  test("Sentinel names the master", async () => {
    const [port, sentinelPort] = [await freePort(), await freePort()];
    await redis({ port });
    const folder = temporaryFolder();
    cleanups.push(folder.remove);
    const file = join(folder.path, "sentinel.conf");
    writeFileSync(file, `sentinel monitor mail 127.0.0.1 ${port} 1\n`);
    await redis({ port: sentinelPort, args: [file, "--sentinel"] });

    const sentinels = { name: "mail", hosts: [{ host: "127.0.0.1", port: sentinelPort }] };
    const { client } = connection({ url: "redis://unused", sentinels });
    expect(await client.info()).toContain(`tcp_port:${port}`);
  });

  test("a Cluster runs BullMQ under a prefix with a hash tag", async () => {
    const [port, busPort] = [await freePort(), await freePort()];
    const announced = ["--cluster-announce-ip", "127.0.0.1", "--cluster-port", String(busPort)];
    const url = await redis({ port, args: ["--cluster-enabled", "yes", ...announced] });
    await connection({ url }).client.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    const cluster = { nodes: [{ host: "127.0.0.1", port }] };
    const prefix = "{bull}";
    const queue = new Queue("mail", { prefix, connection: connection({ url, cluster }).client });
    const blocking = connection({ url, cluster }, "blocking").client;
    const events = new QueueEvents("mail", { prefix, connection: blocking });
    await events.waitUntilReady();
    const job = await queue.add("send", { to: "a" });
    const worker = new Worker("mail", async ({ data }) => data.to, { prefix, connection: blocking });
    const result = await job.waitUntilFinished(events, 15_000);
    await Promise.all([worker.close(), events.close(), queue.close()]);
    expect(result).toBe("a");
  });
});
