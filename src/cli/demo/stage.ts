import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { providerDefinitions } from "../../../providers/index.ts";
import { startGateway } from "../../app.ts";
import type { Gateway } from "../../app.ts";
import { checkConfig } from "../../config/index.ts";
import { LAB_ACCOUNT, startLab } from "../../lab/index.ts";
import type { Lab } from "../../lab/index.ts";
import { MailQueue } from "../../queue/mail-queue.ts";
import { closeRedis, connectRedis } from "../../redis/connection.ts";
import { startEmbeddedStore } from "../../redis/embedded.ts";
import { Log } from "../../telemetry/log.ts";

/** Everything the demo runs on: store, stand-ins, gateway and a queue to push into. Nothing of it outlives it. */
export type Stage = {
  readonly lab: Lab;
  readonly gateway: Gateway;
  readonly queue: MailQueue;
  readonly storeDescription: string;
  close(): Promise<void>;
};

/**
 * The waits of a demo that ends in ninety seconds: minutes of the real settings become seconds. All else is default.
 */
const SHORT_WAITS = {
  breaker: {
    openMs: 1_000,
    openMaxMs: 2_000,
    authOpenMs: 2_000,
    uncertainOpenMs: 3_000,
    probeTimeoutMs: 3_000,
    rampStepMs: 500,
  },
  throttle: { pauseMs: 1_500, pauseMaxMs: 3_000 },
  retry: { delaysMs: [1_000, 2_000], otpDelaysMs: [500, 1_000], jitterPercent: 10 },
};

export async function openStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "mailover-demo-"));
  const closing: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0).toReversed()) await end();
  };
  try {
    let storeDescription = "";
    const store = await startEmbeddedStore({ dataDir: folder, log: (sentence) => (storeDescription = sentence) });
    closing.push(() => store.stop());
    // The real limit of 30 messages a minute is lifted: the demo has no minute to wait.
    const lab = await startLab({ exchange: { overRate: "off" } });
    closing.push(() => lab.close());
    const caFile = join(folder, "ca.pem");
    await writeFile(caFile, lab.ca);
    const gateway = await startGateway({
      config: configOf(lab, store.url, caFile),
      definitions: providerDefinitions,
      log: new Log({ level: "silent", addresses: false, pretty: false }),
      environment: "demo",
    });
    closing.push(() => gateway.stop());
    const redis = connectRedis(
      { url: store.url },
      { use: "blocking", connectionName: "demo", onError: () => undefined },
    );
    closing.push(() => closeRedis(redis));
    const queue = new MailQueue({ name: "mail", prefix: "bull" }, redis);
    closing.push(() => queue.close());
    return { lab, gateway, queue, storeDescription, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function configOf(lab: Lab, redisUrl: string, ca: string): Parameters<typeof startGateway>[0]["config"] {
  const result = checkConfig(
    {
      ...SHORT_WAITS,
      redis: { url: redisUrl },
      delivery: { shutdownMs: 5_000 },
      providers: {
        microsoft365: {
          kind: "microsoft365",
          priority: 10,
          tenantId: LAB_ACCOUNT.tenantId,
          clientId: LAB_ACCOUNT.clientId,
          clientSecret: LAB_ACCOUNT.clientSecret,
          mailbox: LAB_ACCOUNT.mailbox,
          host: "localhost",
          port: lab.exchange.port,
          authority: `https://localhost:${lab.entra.port}`,
          ca,
          timeouts: { contentReplyMs: 5_000 },
          // A minute's worth of a real mailbox is too little to look at.
          limits: { perMinute: null },
        },
        sendgrid: {
          kind: "sendgrid",
          priority: 20,
          apiKey: LAB_ACCOUNT.sendGridKey,
          baseUrl: `http://127.0.0.1:${lab.sendgrid.port}`,
        },
        relay: { kind: "smtp", priority: 30, host: "127.0.0.1", port: lab.relay.port, tls: "none" },
      },
    },
    providerDefinitions,
  );
  if (!result.ok) throw new Error(`the demo's own configuration is bad: ${JSON.stringify(result.findings)}`);
  return result.config;
}
