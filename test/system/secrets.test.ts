import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LAB_ACCOUNT, startLab } from "../../src/lab/index.ts";
import type { Lab } from "../../src/lab/index.ts";
import { relaySettings, until } from "../scenario/gateway.ts";
import { Installation } from "./installation.ts";
import { RedisServer } from "./redis.ts";

const REDIS_PASSWORD = "redis-password-3b9f";
const RELAY_PASSWORD = "relay-password-71cd";
const BODY = "the body nobody may log 4d2e";
const SUBJECT = "the subject nobody may log 90aa";

let redis: RedisServer;
let lab: Lab;
let installation: Installation;

beforeEach(async () => {
  redis = await RedisServer.start();
  lab = await startLab({ exchange: { overRate: "off" } });
});

afterEach(async () => {
  await installation.close();
  await lab.close();
  await redis.close();
});

/** A secret in the forms in which it might slip out. */
function forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [secret, encodeURIComponent(secret), bytes.toString("base64").replace(/=+$/, ""), bytes.toString("hex")];
}

test("no secret, subject or body is in anything that any command writes, whatever breaks", async () => {
  await redis.setPassword(REDIS_PASSWORD);
  installation = await Installation.create(
    {
      redis: { url: redis.url },
      log: { level: "trace" },
      retry: { delaysMs: [200], jitterPercent: 0 },
      breaker: { openMs: 300, authOpenMs: 1_000 },
      providers: {
        microsoft365: {
          kind: "microsoft365",
          priority: 10,
          tenantId: LAB_ACCOUNT.tenantId,
          clientId: LAB_ACCOUNT.clientId,
          mailbox: LAB_ACCOUNT.mailbox,
          host: "localhost",
          port: lab.exchange.port,
          authority: `https://localhost:${lab.entra.port}`,
          ca: lab.ca,
        },
        sendgrid: { kind: "sendgrid", priority: 20, baseUrl: `http://127.0.0.1:${lab.sendgrid.port}` },
        relay: relaySettings(lab.relay, { priority: 30, user: "mailover", auth: "plain" }),
      },
    },
    {
      MAILOVER_REDIS_PASSWORD: REDIS_PASSWORD,
      MAILOVER_PROVIDERS_MICROSOFT365_CLIENT_SECRET: LAB_ACCOUNT.clientSecret,
      MAILOVER_PROVIDERS_SENDGRID_API_KEY: LAB_ACCOUNT.sendGridKey,
      MAILOVER_PROVIDERS_RELAY_PASSWORD: RELAY_PASSWORD,
    },
  );
  await writeFile(join(installation.folder, "letter.txt"), BODY);
  const send = ["send", "--from", LAB_ACCOUNT.mailbox, "--subject", SUBJECT, "--text", BODY, "--attach", "letter.txt"];
  const gateway = await installation.start();

  expect(await installation.run([...send, "--to", "ann@example.org"])).toMatchObject({ code: 0 });
  // Connections that have signed in before must not get through either.
  await lab.exchange.setFaults([
    { kind: "reply", at: "auth", text: "535 5.7.3 Authentication unsuccessful" },
    { kind: "reply", at: "mail", text: "530 5.7.57 Client not authenticated to send mail." },
  ]);
  await lab.entra.setFault({ kind: "refuse" });
  lab.sendgrid.setFault({ kind: "refuse" });
  expect(await installation.run([...send, "--to", "ann@example.org", "--no-wait"])).toMatchObject({ code: 0 });
  for (const name of ["sendgrid", "relay"]) {
    await gateway.logged("attempt.ended", ({ provider }) => provider === name);
  }
  for (const args of [["config"], ["config", "--json"], ["verify"], ["health"]]) await installation.run(args);
  // Wrong ones, which servers may repeat in their refusals.
  const wrong = {
    MAILOVER_REDIS_PASSWORD: `wrong-${REDIS_PASSWORD}`,
    MAILOVER_PROVIDERS_MICROSOFT365_CLIENT_SECRET: "wrong-client-secret-5e1b",
  };
  const failing = installation.spawn(["start"], wrong);
  await until("it said so", () => (failing.stdout + failing.stderr).includes("WRONGPASS"));
  failing.send("SIGKILL");
  await installation.run(["verify", "microsoft365"], wrong);
  await gateway.stop();

  const secrets = [
    REDIS_PASSWORD,
    RELAY_PASSWORD,
    LAB_ACCOUNT.clientSecret,
    LAB_ACCOUNT.sendGridKey,
    "wrong-client-secret-5e1b",
    `\0mailover\0${RELAY_PASSWORD}`,
    BODY,
    SUBJECT,
  ];
  const { output } = installation;
  expect(output.length).toBeGreaterThan(5_000);
  expect(secrets.flatMap(forms).filter((form) => output.includes(form))).toEqual([]);
  // Tokens are three parts of base64, joined by dots.
  expect(output).not.toMatch(/eyJ[\w-]+\.[\w-]+\.[\w-]*/);
});
