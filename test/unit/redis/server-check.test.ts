import { afterEach, describe, expect, test } from "vitest";

import { closeRedis, connectRedis } from "../../../src/redis/connection.ts";
import { describeError } from "../../../src/redis/describe-error.ts";
import { checkServer, judgeServer } from "../../../src/redis/server-check.ts";
import { parseServerInfo } from "../../../src/redis/server-info.ts";
import { freePort, redisServer, startRedis } from "./real-server.ts";

const good = { redis_version: "7.2.4", role: "master", maxmemory_policy: "noeviction", aof_enabled: "1" };

function judge(fields: Record<string, string | undefined>, asCluster = false) {
  const lines = Object.entries({ ...good, ...fields }).filter(([, value]) => value !== undefined);
  return judgeServer(parseServerInfo(lines.map(([name, value]) => `${name}:${value}`).join("\r\n")), asCluster);
}

const warned: readonly [rule: string, fields: Record<string, string | undefined>, want: RegExp][] = [
  [
    "eviction",
    { maxmemory_policy: "allkeys-lru" },
    /may evict mail .* \(maxmemory-policy allkeys-lru\): redis-cli CONFIG SET maxmemory-policy noeviction/,
  ],
  ["eviction, not told", { maxmemory_policy: undefined }, /evict mail could not be checked/],
  [
    "no append-only file",
    { aof_enabled: "0" },
    /a restart of Redis loses the mail .*: redis-cli CONFIG SET appendonly yes/,
  ],
  ["append-only file, not told", { aof_enabled: undefined }, /over a restart could not be checked/],
  ["a cluster spoken to as one server", { cluster_enabled: "1" }, /set redis\.cluster\.nodes/],
];

describe("a server's INFO", () => {
  test("is fine", () => {
    expect(judge({})).toEqual({ ok: true, server: "Redis 7.2.4", warnings: [] });
    expect(judge({ valkey_version: "9.1.1" })).toEqual({ ok: true, server: "Valkey 9.1.1", warnings: [] });
    expect(judge({ redis_version: "6.2.0" })).toMatchObject({ ok: true });
    expect(judge({ redis_version: "10.0.0" })).toMatchObject({ ok: true });
    expect(judge({ cluster_enabled: "1" }, true)).toMatchObject({ ok: true, warnings: [] });
  });

  test.each(warned)("warns of %s", (_rule, fields, want) => {
    expect(judge(fields)).toMatchObject({ ok: true, warnings: [expect.stringMatching(want)] });
  });

  test("is refused below 6.2", () => {
    expect(judge({ redis_version: "6.0.16" })).toEqual({
      ok: false,
      server: "Redis 6.0.16",
      problem: "Redis 6.0.16 is too old: Mailover needs Redis 6.2 or later, or Valkey",
    });
    expect(judge({ redis_version: "5.9.9" })).toMatchObject({ ok: false });
  });

  test("is refused from a replica, which takes no mail", () => {
    expect(judge({ role: "slave", master_host: "10.0.0.7", master_port: "6379" })).toMatchObject({
      ok: false,
      problem: expect.stringContaining("a read-only replica of 10.0.0.7:6379"),
    });
  });
});

describe.skipIf(redisServer === null)("asked of a real server", () => {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });

  async function check(args: readonly string[], username?: string) {
    const server = await startRedis({ port: await freePort(), args });
    cleanups.push(() => server.stop());
    const settings = { url: server.url, ...(username === undefined ? {} : { username, password: "any" }) };
    const client = connectRedis(settings, { use: "commands", connectionName: "test", onError: () => undefined });
    cleanups.push(() => closeRedis(client));
    return checkServer(client);
  }

  test("its settings are seen", async () => {
    expect(await check(["--appendonly", "yes"])).toMatchObject({ ok: true, warnings: [] });
    expect(await check(["--maxmemory-policy", "volatile-lru"])).toMatchObject({
      ok: true,
      server: expect.stringMatching(/^(Redis|Valkey) \d/),
      warnings: [expect.stringContaining("volatile-lru"), expect.stringContaining("appendonly yes")],
    });
  });

  test("an account that may not ask is told that nothing could be checked", async () => {
    // ioredis asks by INFO whether the server is ready and goes on where it may not.
    const result = await check(["--user", "mail", "on", "nopass", "~*", "+@all", "-info"], "mail");
    expect(result).toMatchObject({ ok: true, warnings: [expect.stringMatching(/could not be checked.*NOPERM/)] });
  });
});

describe("an error in one sentence", () => {
  const withCommand = Object.assign(new Error("WRONGPASS invalid"), { command: { name: "auth", args: ["hunter2"] } });
  const cases: readonly [rule: string, error: unknown, want: string][] = [
    [
      "names the code",
      Object.assign(new Error("connect failed"), { code: "ECONNREFUSED" }),
      "connect failed (ECONNREFUSED)",
    ],
    [
      "does not repeat it",
      Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }),
      "connect ECONNREFUSED",
    ],
    ["says what each address answered", new AggregateError([new Error("a"), new Error("b")], ""), "a; b"],
    ["leaves arguments out", withCommand, "WRONGPASS invalid"],
    ["hides a secret in the text", new Error("bad url redis://:hunter2@x"), "bad url redis://:***@x"],
    [
      "knows a Cluster's last node",
      Object.assign(new Error("Failed."), { lastNodeError: new Error("closed") }),
      "Failed. closed",
    ],
    ["has a word for anything", "oops", "unknown error"],
  ];
  test.each(cases)("%s", (_rule, error, want) => {
    expect(describeError(error, ["hunter2"])).toBe(want);
  });
});
