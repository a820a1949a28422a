import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { KeyPair } from "../../src/lab/certificate.ts";
import { freePort } from "../unit/redis/real-server.ts";

/** Debian's own, for which the package installs. */
const PYTHON = "/usr/bin/python3";
const SCRIPT = fileURLToPath(new URL("aiosmtpd-server.py", import.meta.url));

/** Why there can be no aiosmtpd here, or null. */
export const noAiosmtpd =
  spawnSync(PYTHON, ["-c", "import aiosmtpd"]).status === 0
    ? null
    : "aiosmtpd is not installed (apt-get install python3-aiosmtpd)";

export type AiosmtpdOptions = {
  /** Passwords by user; with any, signing in is required. */
  readonly users?: Readonly<Record<string, string>>;
  /** With one, STARTTLS is required. */
  readonly certificate?: KeyPair;
  readonly maxMessageBytes?: number;
};

/** Python's aiosmtpd as a process of its own on 127.0.0.1, each message in a maildir. */
export class Aiosmtpd {
  readonly port: number;
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#child = child;
  }

  static async start(options: AiosmtpdOptions = {}): Promise<Aiosmtpd> {
    const folder = await mkdtemp(join(tmpdir(), "mailover-aiosmtpd-"));
    const port = await freePort();
    const { certificate, ...more } = options;
    const certificateFile = join(folder, "tls.pem");
    if (certificate !== undefined) await writeFile(certificateFile, certificate.key + certificate.cert);
    const settings = {
      ...more,
      port,
      maildir: join(folder, "mail"),
      ...(certificate === undefined ? {} : { certificate: certificateFile }),
    };
    const child = spawn(PYTHON, [SCRIPT, JSON.stringify(settings)], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "exit").then(() => {
      throw new Error("aiosmtpd ended before it was ready");
    });
    await Promise.race([once(child.stdout, "data"), ended]);
    return new Aiosmtpd(port, folder, child);
  }

  /** Every message in its maildir. */
  async delivered(): Promise<string[]> {
    const inbox = join(this.#folder, "mail", "new");
    const files = await readdir(inbox).catch(() => []);
    return Promise.all(files.map((file) => readFile(join(inbox, file), "utf8")));
  }

  /** Connections are still taken by the kernel, and nobody says a word. */
  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, "exit");
      this.#child.kill("SIGKILL");
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
