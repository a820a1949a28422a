import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { providerDefinitions } from "../../providers/index.ts";
import { startGateway } from "../../src/app.ts";
import type { Gateway } from "../../src/app.ts";
import { checkConfig } from "../../src/config/index.ts";
import type { Config } from "../../src/config/index.ts";
import type { DeliveryRecord, GatewayEvent } from "../../src/core/index.ts";
import { LAB_ACCOUNT } from "../../src/lab/index.ts";
import type { Lab } from "../../src/lab/index.ts";
import { Follower } from "../../src/queue/follower.ts";
import type { Ending } from "../../src/queue/follower.ts";
import { MailQueue } from "../../src/queue/mail-queue.ts";
import { closeRedis, connectRedis } from "../../src/redis/connection.ts";
import type { RedisClient } from "../../src/redis/connection.ts";
import { startEmbeddedStore } from "../../src/redis/embedded.ts";
import type { EmbeddedStore } from "../../src/redis/embedded.ts";
import { Log } from "../../src/telemetry/log.ts";

type Tree = { [key: string]: unknown };

/** A store of its own and gateways on it, for stories told from an app's point of view. */
export class Scene {
  readonly events: GatewayEvent[] = [];
  /** Every line that was logged. */
  readonly logged: string[] = [];
  readonly redis: RedisClient;
  readonly queue: MailQueue;
  readonly #store: EmbeddedStore;
  readonly #folder: string;
  readonly #follower: Follower;
  readonly #gateways: Gateway[] = [];

  private constructor(store: EmbeddedStore, folder: string) {
    this.#store = store;
    this.#folder = folder;
    this.redis = connectRedis(
      { url: store.url },
      { use: "blocking", connectionName: "test", onError: () => undefined },
    );
    const settings = { name: "mail", prefix: "bull" };
    this.queue = new MailQueue(settings, this.redis);
    this.#follower = new Follower(settings, this.redis);
  }

  static async open(): Promise<Scene> {
    const folder = await mkdtemp(join(tmpdir(), "mailover-"));
    const store = await startEmbeddedStore({ dataDir: folder, log: () => undefined });
    const scene = new Scene(store, folder);
    await scene.#follower.ready();
    return scene;
  }

  get redisUrl(): string {
    return this.#store.url;
  }

  /** Settings as they would stand in a file, checked. */
  config(settings: Tree): Config {
    const result = checkConfig({ redis: { url: this.#store.url }, ...settings }, providerDefinitions);
    if (!result.ok) throw new Error(JSON.stringify(result.findings));
    return result.config;
  }

  async start(settings: Tree): Promise<Gateway> {
    const output = { write: (line: string) => void this.logged.push(line) };
    const log = new Log({ level: "debug", addresses: true, pretty: false }, output);
    const config = this.config(settings);
    const gateway = await startGateway({ config, definitions: providerDefinitions, log, environment: "test" });
    gateway.events.subscribe((event) => this.events.push(event));
    this.#gateways.push(gateway);
    return gateway;
  }

  push(data: object): Promise<string> {
    return this.queue.push(data);
  }

  /** Follows a job to its end. */
  end(jobId: string, timeoutMs = 20_000): Promise<Ending> {
    return this.#follower.follow(jobId, () => undefined, AbortSignal.timeout(timeoutMs));
  }

  /** The record of a job that must be relayed. */
  async relayed(jobId: string, timeoutMs?: number): Promise<DeliveryRecord> {
    const end = await this.end(jobId, timeoutMs);
    if (end.kind !== "relayed") throw new Error(end.reason);
    return end.record;
  }

  /** The record that is saved with a job. */
  async progress(jobId: string): Promise<Partial<DeliveryRecord>> {
    return JSON.parse((await this.redis.hget(`bull:mail:${jobId}`, "progress")) ?? "{}") as Partial<DeliveryRecord>;
  }

  /** What the ledger says of a job's message, or null: it was not taken yet. */
  async ledgerStatus(jobId: string): Promise<string | null> {
    const received = this.events.find((event) => event.type === "message.received" && event.jobId === jobId);
    return received?.type === "message.received" ? this.redis.hget(`mailover:ledger:{${received.id}}`, "status") : null;
  }

  async close(): Promise<void> {
    await Promise.all(this.#gateways.map((gateway) => gateway.stop()));
    await this.#follower.close();
    await this.queue.close();
    await closeRedis(this.redis);
    await this.#store.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Waits until something holds; fails when it does not in time. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(20);
  }
}

export function mail(more: object = {}): object {
  return { from: "app@contoso.example", to: "ann@example.org", subject: "Hello", text: "Hello, Ann.", ...more };
}

/** An SMTP provider's settings for a stand-in. */
export function relaySettings(server: { readonly port: number }, more: object = {}): object {
  return { kind: "smtp", host: "127.0.0.1", port: server.port, tls: "none", ...more };
}

/** Settings of a Microsoft 365 provider for the stand-ins. */
export function microsoft365Settings(lab: Lab, more: object = {}): object {
  const { tenantId, clientId, clientSecret, mailbox } = LAB_ACCOUNT;
  return {
    kind: "microsoft365",
    tenantId,
    clientId,
    clientSecret,
    mailbox,
    host: "localhost",
    port: lab.exchange.port,
    authority: lab.entra.url,
    ca: lab.ca,
    ...more,
  };
}
