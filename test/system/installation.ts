import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MailoverClient } from "../../src/client.ts";
import { until } from "../scenario/gateway.ts";

const MAIN = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));

/** Longer than any command of a test may take. */
const COMMAND_TIMEOUT_MS = 60_000;

type Tree = { readonly [key: string]: unknown };
type Variables = Readonly<Record<string, string>>;

/** How a process ended. `code` is null where a signal ended it. */
export type Exit = { readonly code: number | null; readonly signal: string | null; readonly tookMs: number };
export type LogLine = { readonly event: string; readonly [field: string]: unknown };

/** A process of the built program. */
export class Program {
  /** What it wrote to standard output and standard error. */
  stdout = "";
  stderr = "";
  readonly pid: number;
  /** When it has ended and all it wrote is here. `tookMs` counts from the last signal sent, else from its start. */
  readonly exit: Promise<Exit>;
  readonly #child: ChildProcess;
  #since = Date.now();

  constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => void (this.stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => void (this.stderr += text));
    this.exit = once(child, "close").then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as string | null,
      tookMs: Date.now() - this.#since,
    }));
  }

  /** The lines of its log. */
  get log(): LogLine[] {
    const whole = this.stdout.slice(0, this.stdout.lastIndexOf("\n") + 1);
    return whole.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as LogLine] : []));
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Waits for a line of its log. */
  async logged(event: string, matches: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    const found = (): LogLine | undefined => this.log.find((line) => line.event === event && matches(line));
    await until(`${event} is logged`, () => {
      if (!this.isRunning) throw new Error(`it ended without ${event}:\n${this.stdout}\n${this.stderr}`);
      return found() !== undefined;
    });
    return found() as LogLine;
  }

  send(signal: NodeJS.Signals): void {
    this.#since = Date.now();
    this.#child.kill(signal);
  }

  async stop(): Promise<Exit> {
    if (this.isRunning) this.send("SIGTERM");
    return this.exit;
  }
}

/** The built program with a configuration and a working folder of its own, as on a machine it was installed on. */
export class Installation {
  readonly folder: string;
  readonly #variables: Variables;
  readonly #programs: Program[] = [];
  readonly #clients: MailoverClient[] = [];

  private constructor(folder: string, variables: Variables) {
    this.folder = folder;
    this.#variables = variables;
  }

  /** `settings` become `production.yaml`; `variables` are all that the processes get beside PATH. */
  static async create(settings: Tree, variables: Variables = {}): Promise<Installation> {
    const folder = await mkdtemp(join(tmpdir(), "mailover-system-"));
    const installation = new Installation(folder, variables);
    await mkdir(join(folder, "config"));
    await mkdir(join(folder, "tmp"));
    await installation.configure(settings);
    return installation;
  }

  async configure(settings: Tree): Promise<void> {
    // JSON is YAML.
    await writeFile(join(this.folder, "config", "production.yaml"), JSON.stringify(settings, null, 2));
  }

  /** Starts a command. Its temporary files go to `tmp` in the folder. */
  spawn(args: readonly string[], variables: Variables = {}): Program {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: this.folder,
      env: {
        PATH: process.env["PATH"],
        HOME: this.folder,
        TMPDIR: join(this.folder, "tmp"),
        NODE_ENV: "production",
        ...this.#variables,
        ...variables,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const program = new Program(child);
    this.#programs.push(program);
    return program;
  }

  /** Runs a command to its end. */
  async run(args: readonly string[], variables: Variables = {}): Promise<Exit & { stdout: string; stderr: string }> {
    const program = this.spawn(args, variables);
    const timer = setTimeout(() => program.send("SIGKILL"), COMMAND_TIMEOUT_MS);
    const exit = await program.exit;
    clearTimeout(timer);
    return { ...exit, stdout: program.stdout, stderr: program.stderr };
  }

  /** Starts a gateway that takes jobs when this resolves. */
  async start(variables: Variables = {}): Promise<Program> {
    const gateway = this.spawn(["start"], variables);
    await gateway.logged("gateway.started");
    return gateway;
  }

  /** An app's way in. It is closed with the installation. */
  client(redisUrl: string): MailoverClient {
    const client = new MailoverClient({ redis: { url: redisUrl } });
    this.#clients.push(client);
    return client;
  }

  /** Everything that any process of it wrote. */
  get output(): string {
    return this.#programs.map(({ stdout, stderr }) => stdout + stderr).join("\n");
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all(this.#programs.map((program) => program.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }
}
