import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "../../src/core/index.ts";

const START_TIMEOUT_MS = 60_000;

export type FleetOptions = {
  /** The built program. */
  readonly main: string;
  readonly folder: string;
  readonly settings: object;
};

/** Built gateways as processes of their own, all on one configuration. Each one's log is a file in the folder. */
export class Fleet {
  /** How those ended that nobody had told to. */
  readonly crashes: string[] = [];
  readonly #options: FleetOptions;
  readonly #running = new Set<ChildProcess>();
  readonly #ready = new Set<ChildProcess>();
  readonly #starting = new Set<Promise<unknown>>();
  readonly #onExit = (): void => this.#signalAll("SIGKILL");
  #startedCount = 0;
  #killedCount = 0;

  private constructor(options: FleetOptions) {
    this.#options = options;
    process.once("exit", this.#onExit);
  }

  static async create(options: FleetOptions): Promise<Fleet> {
    await mkdir(join(options.folder, "config"), { recursive: true });
    // JSON is YAML.
    await writeFile(join(options.folder, "config", "production.yaml"), JSON.stringify(options.settings, null, 2));
    return new Fleet(options);
  }

  get killedCount(): number {
    return this.#killedCount;
  }

  /** Starts some gateways; resolves when all of them take jobs, or were killed before they could. */
  async start(count: number, nodeArguments: readonly string[] = []): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#start(nodeArguments)));
  }

  /** One of those that take jobs, or undefined. */
  pick(random: Random): ChildProcess | undefined {
    const ready = [...this.#ready];
    return ready[Math.floor(random() * ready.length)];
  }

  /** Ends one, or all, at once. */
  async kill(gateways: readonly ChildProcess[] = [...this.#running]): Promise<void> {
    await Promise.all(
      gateways.map(async (gateway) => {
        if (!this.#running.delete(gateway)) return;
        this.#ready.delete(gateway);
        this.#killedCount += 1;
        gateway.kill("SIGKILL");
        await once(gateway, "exit");
      }),
    );
  }

  /** Tells all to stop, and waits until they have. */
  async stop(): Promise<void> {
    await Promise.all(this.#starting);
    const running = [...this.#running];
    this.#running.clear();
    await Promise.all(
      running.map(async (gateway) => {
        gateway.kill("SIGTERM");
        await once(gateway, "exit");
      }),
    );
  }

  async close(): Promise<void> {
    await this.kill();
    process.removeListener("exit", this.#onExit);
  }

  #start(nodeArguments: readonly string[]): Promise<void> {
    const started = this.#launch(nodeArguments).finally(() => this.#starting.delete(started));
    this.#starting.add(started);
    return started;
  }

  async #launch(nodeArguments: readonly string[]): Promise<void> {
    const { main, folder } = this.#options;
    this.#startedCount += 1;
    const name = `gateway-${this.#startedCount}`;
    const gateway = spawn(process.execPath, [...nodeArguments, main, "start"], {
      cwd: folder,
      env: { PATH: process.env["PATH"], HOME: folder, NODE_ENV: "production" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const log = createWriteStream(join(folder, `${name}.log`));
    gateway.stderr.pipe(log, { end: false });
    gateway.stdout.pipe(log);
    this.#running.add(gateway);
    gateway.once("exit", (code, signal) => {
      this.#ready.delete(gateway);
      if (this.#running.delete(gateway)) this.crashes.push(`${name} ended by itself: ${signal ?? `code ${code}`}`);
    });
    const ready = new Promise<void>((resolve) => {
      let said = "";
      const listen = (bytes: Buffer): void => {
        said += bytes.toString();
        if (!said.includes("gateway.started")) return;
        if (this.#running.has(gateway)) this.#ready.add(gateway);
        gateway.stdout.off("data", listen);
        resolve();
      };
      gateway.stdout.on("data", listen);
    });
    const late = AbortSignal.timeout(START_TIMEOUT_MS);
    await Promise.race([ready, once(gateway, "exit", { signal: late })]);
  }

  #signalAll(signal: NodeJS.Signals): void {
    for (const gateway of this.#running) gateway.kill(signal);
  }
}
