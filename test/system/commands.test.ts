import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startRelay } from "../../src/lab/index.ts";
import type { RelayServer } from "../../src/lab/index.ts";
import { relaySettings, until } from "../scenario/gateway.ts";
import { freePort } from "../unit/redis/real-server.ts";
import { Installation } from "./installation.ts";
import type { Program } from "./installation.ts";
import { RedisServer } from "./redis.ts";

const EX_CONFIG = 78;

let redis: RedisServer;
let relay: RelayServer;
let installation: Installation;
let gateway: Program;

beforeAll(async () => {
  redis = await RedisServer.start();
  relay = await startRelay();
  installation = await Installation.create({
    redis: { url: redis.url },
    retry: { delaysMs: [500], jitterPercent: 0 },
    providers: { relay: relaySettings(relay), nowhere: relaySettings({ port: await freePort() }, { priority: 200 }) },
  });
  gateway = await installation.start();
});

afterAll(async () => {
  await installation.close();
  await relay.close();
  await redis.close();
});

const SEND = ["send", "--from", "app@contoso.example"];

test("send relays a message with its attachment, tells its steps, and ends with 0", async () => {
  const content = Buffer.from(Array.from({ length: 3_000 }, (_, index) => index % 256));
  await writeFile(join(installation.folder, "寸法 2026.bin"), content);
  const message = ["--to", "ann@example.org,ben@example.org", "--subject", "Größe", "--text", "Hello"];
  const { code, stdout } = await installation.run([...SEND, ...message, "--attach", "寸法 2026.bin"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^queued as job \S+\nrelayed by relay: 250 2\.0\.0 Ok: queued as \S+\n$/);
  const accepted = relay.accepted.at(-1);
  expect(accepted?.rcptTo).toEqual(["ann@example.org", "ben@example.org"]);
  const unfolded = accepted?.content.toString("latin1").replaceAll("\r\n", "") ?? "";
  expect(unfolded).toContain(content.toString("base64"));
});

test("send ends with 1 when the message bounced, and says why", async () => {
  const { code, stdout } = await installation.run([...SEND, "--to", "unknown@example.org"]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^queued as job \S+\nbounced: 550 5\.1\.1 <unknown@example\.org>: [^\n]*\n$/);
});

test("send tells why a message waits, and ends once it is relayed", async () => {
  relay.setFault({ kind: "reply", at: "rcpt", text: "450 4.2.0 Greylisted" });
  const program = installation.spawn([...SEND, "--to", "ann@example.org", "--provider", "relay"]);
  await until("it waits", () => program.stdout.includes("deferred: "));
  relay.setFault(null);
  expect(await program.exit).toMatchObject({ code: 0 });
  expect(program.stdout).toMatch(/^queued as job [^]*\ndeferred: relay: 450 4\.2\.0 Greylisted, next attempt at \S+\n/);
  expect(program.stdout).toMatch(/relayed by relay: 250 .*\n$/);
});

test("send --no-wait ends once it is queued", async () => {
  const { code, stdout } = await installation.run([...SEND, "--to", "ann@example.org", "--no-wait"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^queued as job \S+\n$/);
});

test("send refuses what cannot be sent, and queues nothing", async () => {
  const { code, stdout, stderr } = await installation.run([...SEND, "--to", "no address"]);
  expect(code).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toContain("to");
});

test("config --check ends with 0 on a good configuration and says nothing", async () => {
  expect(await installation.run(["config", "--check"])).toMatchObject({ code: 0, stdout: "", stderr: "" });
});

test("config --check ends with 78 on a bad one and names the place", async () => {
  const { code, stdout, stderr } = await installation.run(["config", "--check"], {
    MAILOVER_BREAKER_OPEN_AT_PERCENT: "120",
  });
  expect(code).toBe(EX_CONFIG);
  expect(stdout).toBe("");
  expect(stderr).toContain("120 is above 100");
});

test("start ends with 78 on a bad configuration, before it takes a job", async () => {
  const { code, stdout } = await installation.run(["start"], { MAILOVER_LOG_LEVEL: "loud" });
  expect({ code, stdout }).toEqual({ code: EX_CONFIG, stdout: "" });
});

test("health ends with 0 beside a gateway, and with 1 without Redis", async () => {
  expect(gateway.isRunning).toBe(true);
  expect(await installation.run(["health"])).toMatchObject({ code: 0, stdout: expect.stringContaining("ok: ") });
  const { code, tookMs } = await installation.run(["health"], {
    MAILOVER_REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
  });
  expect(code).toBe(1);
  expect(tookMs).toBeLessThan(10_000);
});

test("explain tells what a reply means, from an argument and from standard input", async () => {
  const { code, stdout } = await installation.run(["explain", "535 5.7.139 SmtpClientAuthentication is disabled"]);
  expect(code).toBe(0);
  expect(stdout).toContain("To mend it");
  const json = await installation.run(["explain", "--json", "450 4.7.1 Error: too much mail from 192.0.2.1"]);
  expect(JSON.parse(json.stdout)).toMatchObject({ failure: { cause: "throttled" } });
});

test("verify ends with 0 where all is well, and with 1 where a provider is not there", async () => {
  const well = await installation.run(["verify", "relay"]);
  expect(well).toMatchObject({ code: 0, stdout: expect.stringContaining("relay") });
  const ill = await installation.run(["verify"]);
  expect(ill).toMatchObject({ code: 1, stdout: expect.stringContaining("nowhere") });
  const unknown = await installation.run(["verify", "nobody"]);
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining("no provider is called nobody") });
});

test("providers and route tell how things stand, and end with 1 without Redis", async () => {
  const well = await installation.run(["providers"]);
  expect(well).toMatchObject({ code: 0, stdout: expect.stringMatching(/^relay \(smtp, priority 100\): works, /) });
  expect(well.stdout).toMatch(/\n1 worker: \S+ since \S+\nnothing is changed at run time\n$/);
  const json = await installation.run(["route", "--from", "app@contoso.example", "--class", "otp", "--json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({ because: "by priority", steps: [{ provider: "relay" }, {}] });
  const alone = { MAILOVER_REDIS_URL: `redis://127.0.0.1:${await freePort()}` };
  for (const args of [["providers"], ["route", "--from", "app@contoso.example"]]) {
    const { code, stdout, stderr, tookMs } = await installation.run(args, alone);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/\nRedis does not answer, so nobody knows how providers stand\n$/);
    expect(tookMs).toBeLessThan(20_000);
  }
});

test("forget names its provider, and says where there is none", async () => {
  const { code, stdout } = await installation.run(["forget", "relay"]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "relay: no refused From address was remembered\n" });
  const unknown = await installation.run(["forget", "realy"]);
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toContain('no provider is called "realy": there are relay, nowhere; did you mean relay?');
});

test("a gateway whose port for metrics is taken ends, and says what to set", async () => {
  const { code, stderr } = await installation.run(["start"], { MAILOVER_METRICS_PORT: String(relay.port) });
  expect(code).toBe(1);
  expect(stderr).toContain(`metrics.port: ${relay.port} on 127.0.0.1 cannot be had: somebody listens there already`);
});

test("an unknown command or option ends with 1 and shows what there is", async () => {
  for (const args of [["sned"], ["send", "--too", "ann@example.org"]]) {
    const { code, stderr } = await installation.run(args);
    expect(code).toBe(1);
    expect(stderr).toContain("Usage: mailover");
  }
});
