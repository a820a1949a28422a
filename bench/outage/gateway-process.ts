import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

export type LogLine = { readonly event: string; readonly time: string; readonly [field: string]: unknown };

export type GatewayOptions = {
  readonly redisUrl: string;
  readonly primaryPort: number;
  readonly fallbackPort: number;
  readonly folder: string;
};

/** The built gateway as a process of its own, on default settings but for its two providers. */
export class GatewayProcess {
  readonly lines: LogLine[] = [];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      this.lines.push(JSON.parse(line) as LogLine);
    });
  }

  /** So many gateways on one configuration and one Redis; all take jobs when this resolves. */
  static async startFleet(count: number, options: GatewayOptions): Promise<GatewayProcess[]> {
    const { redisUrl, primaryPort, fallbackPort, folder } = options;
    const config = join(folder, "config");
    await mkdir(config, { recursive: true });
    const provider = { kind: "smtp", host: "127.0.0.1", tls: "none" };
    const settings = {
      redis: { url: redisUrl },
      log: { level: "debug", pretty: false },
      providers: {
        primary: { ...provider, priority: 10, port: primaryPort, user: "bench", auth: "plain" },
        fallback: { ...provider, priority: 20, port: fallbackPort },
      },
    };
    // JSON is YAML.
    await writeFile(join(config, "production.yaml"), JSON.stringify(settings, null, 2));
    return Promise.all(Array.from({ length: count }, () => GatewayProcess.#start(folder, config)));
  }

  static async #start(folder: string, config: string): Promise<GatewayProcess> {
    const child = spawn(process.execPath, [MAIN, "start"], {
      cwd: folder,
      env: {
        PATH: process.env["PATH"],
        NODE_ENV: "production",
        NODE_CONFIG_DIR: config,
        MAILOVER_PROVIDERS_PRIMARY_PASSWORD: "bench",
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const gateway = new GatewayProcess(child);
    await gateway.#logged("gateway.started");
    return gateway;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill("SIGTERM");
    await once(this.#child, "exit");
  }

  async #logged(event: string): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!this.lines.some((line) => line.event === event)) {
      if (this.#child.exitCode !== null || Date.now() > deadline) throw new Error(`the gateway did not log ${event}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
