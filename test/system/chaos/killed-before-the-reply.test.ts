import { afterEach, beforeEach, expect, test } from "vitest";
import { startRelay } from "../../../src/lab/index.ts";
import type { RelayServer, SmtpFault } from "../../../src/lab/index.ts";
import { mail, relaySettings, until } from "../../scenario/gateway.ts";
import { Installation } from "../installation.ts";
import { RedisServer } from "../redis.ts";
import { closeRedis, connectRedis } from "../../../src/redis/connection.ts";
import type { RedisClient } from "../../../src/redis/connection.ts";

let redis: RedisServer;
let client: RedisClient;
let relay: RelayServer;
let installation: Installation;

beforeEach(async () => {
  redis = await RedisServer.start();
  client = connectRedis({ url: redis.url }, { use: "commands", connectionName: "test", onError: () => undefined });
  relay = await startRelay();
  installation = await Installation.create({
    redis: { url: redis.url },
    retry: { delaysMs: [200], jitterPercent: 0 },
    log: { level: "debug" },
    providers: { relay: relaySettings(relay) },
  });
});

afterEach(async () => {
  await installation.close();
  await closeRedis(client);
  await relay.close();
  await redis.close();
});

const atTheDot: SmtpFault = { kind: "silence", at: "dot", accepted: true };
const beforeTheContent: SmtpFault = { kind: "silence", at: "data" };

const cases: readonly [name: string, fault: SmtpFault, onUncertain: string, end: string, copies: number][] = [
  ["after the final dot, retry: a second copy", atTheDot, "retry", "relayed", 2],
  ["after the final dot, hold: no second copy", atTheDot, "hold", "held", 1],
  ["before the content, hold: sent again", beforeTheContent, "hold", "relayed", 1],
];

for (const [name, fault, onUncertain, end, copies] of cases) {
  test(`kill -9 of the gateway ${name}, and the record says what may be`, async () => {
    await relay.setFault(fault);
    const gateway = await installation.start();
    const jobId = await installation.client(redis.url).send(mail({ onUncertain }));
    await gateway.logged("attempt.started");
    if (fault === atTheDot) await until("the content is out", () => relay.accepted.length === 1);
    gateway.send("SIGKILL");
    await gateway.exit;
    await relay.setFault(null);
    // As it runs out after 30 s.
    await client.del(`bull:mail:${jobId}:lock`);
    const next = await installation.start();
    const { id } = await next.logged(`message.${end}`);
    const status = await client.hget(`mailover:ledger:{${String(id)}}`, "status");
    expect(status).toBe(end);
    const field = end === "held" ? "progress" : "returnvalue";
    const record = async (): Promise<{ status?: string }> =>
      JSON.parse((await client.hget(`bull:mail:${jobId}`, field)) ?? "{}") as { status?: string };
    await until("its job says so", async () => (await record()).status === end);
    expect(await record()).toMatchObject({ possibleDuplicate: copies > 1 });
    expect(relay.accepted).toHaveLength(copies);
  });
}
