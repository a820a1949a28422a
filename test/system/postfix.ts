import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { KeyPair } from "../../src/lab/certificate.ts";
import { until } from "../scenario/gateway.ts";
import { freePort } from "../unit/redis/real-server.ts";

const run = promisify(execFile);
const POSTFIX = "/usr/sbin/postfix";
const DAEMONS = "/usr/lib/postfix/sbin";
const NOBODY = 65_534;

/** Why there can be no Postfix here, or null. Its master process takes up other users' rights, so it needs root. */
export const noPostfix = !existsSync(POSTFIX)
  ? "postfix is not installed (apt-get install postfix)"
  : process.getuid?.() !== 0
    ? "postfix needs root"
    : null;

/** What one listening port does differently from the others. */
export type Listener = Readonly<Record<string, string>>;

export type PostfixOptions = {
  /** Settings of smtpd for each port, by a name for it. */
  readonly listeners: Readonly<Record<string, Listener>>;
  /** Replies by recipient address, as in access(5). */
  readonly recipients?: Readonly<Record<string, string>>;
  /** Replies by sender address, as in access(5). */
  readonly senders?: Readonly<Record<string, string>>;
  /** Replies to the content, as in header_checks(5): a pattern and an action. */
  readonly headers?: readonly string[];
  readonly messageSizeLimit?: number;
  readonly certificate?: KeyPair;
};

/**
 * Debian's Postfix as an instance of its own: all its files in a temporary folder, its ports on 127.0.0.1, and every
 * message for example.org in one maildir. It has no way to hand mail to another machine.
 */
export class Postfix {
  readonly ports: Readonly<Record<string, number>>;
  readonly #folder: string;

  private constructor(folder: string, ports: Readonly<Record<string, number>>) {
    this.#folder = folder;
    this.ports = ports;
  }

  static async start(options: PostfixOptions): Promise<Postfix> {
    const folder = await mkdtemp(join(tmpdir(), "mailover-postfix-"));
    const names = Object.keys(options.listeners);
    const ports = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await freePort()] as const)));
    const postfix = new Postfix(folder, ports);
    // Its processes run as users of their own.
    await chmod(folder, 0o755);
    for (const name of ["conf", "spool", "data", "mail"]) await mkdir(join(folder, name));
    await chown(join(folder, "data"), await idOf("postfix"), 0);
    await chown(join(folder, "mail"), NOBODY, NOBODY);
    await postfix.#write(options);
    await postfix.start();
    return postfix;
  }

  port(listener: string): number {
    return this.ports[listener] ?? 0;
  }

  async start(): Promise<void> {
    await run(POSTFIX, ["-c", this.#path("conf"), "start"]);
  }

  /** Ends it and everything it runs; nobody listens on its ports then. */
  async stop(): Promise<void> {
    await run(POSTFIX, ["-c", this.#path("conf"), "stop"]);
  }

  /** All its processes at once: connections are taken by the kernel, and nobody says a word. */
  async freeze(): Promise<void> {
    process.kill(-(await this.#masterPid()), "SIGSTOP");
  }

  async thaw(): Promise<void> {
    process.kill(-(await this.#masterPid()), "SIGCONT");
  }

  /** Its own log. */
  async log(): Promise<string> {
    return readFile(this.#path("postfix.log"), "utf8").catch(() => "");
  }

  /** Queue ids by Message-ID: what it took responsibility for, by its own log. */
  async queued(): Promise<Map<string, string[]>> {
    const queued = new Map<string, string[]>();
    for (const [, queueId = "", messageId = ""] of (await this.log()).matchAll(
      /cleanup\[\d+\]: (\w+): message-id=(\S+)/g,
    )) {
      queued.set(messageId, [...(queued.get(messageId) ?? []), queueId]);
    }
    return queued;
  }

  /** Every message in its maildir, once all that it queued is delivered. */
  async delivered(): Promise<string[]> {
    await until("all is delivered", async () => {
      const log = await this.log();
      return (log.match(/: removed$/gm) ?? []).length === (log.match(/\(queue active\)$/gm) ?? []).length;
    });
    const inbox = this.#path("mail", "inbox", "new");
    const files = await readdir(inbox).catch(() => []);
    return Promise.all(files.map((file) => readFile(join(inbox, file), "utf8")));
  }

  async close(): Promise<void> {
    await this.stop().catch(() => undefined);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #masterPid(): Promise<number> {
    return Number(await readFile(this.#path("spool", "pid", "master.pid"), "utf8"));
  }

  #path(...parts: string[]): string {
    return join(this.#folder, ...parts);
  }

  async #write(options: PostfixOptions): Promise<void> {
    const { listeners, recipients = {}, senders = {}, headers = [], messageSizeLimit, certificate } = options;
    const conf = (name: string): string => this.#path("conf", name);
    const map = (entries: Readonly<Record<string, string>>): string =>
      Object.entries(entries).reduce((text, [key, value]) => `${text}${key} ${value}\n`, "");
    await writeFile(conf("recipients"), map(recipients));
    await writeFile(conf("senders"), map(senders));
    await writeFile(conf("headers"), headers.map((line) => `${line}\n`).join(""));
    await writeFile(conf("mailboxes"), "!/^unknown@/ inbox/\n");
    if (certificate !== undefined) await writeFile(conf("tls.pem"), certificate.key + certificate.cert);
    const main = {
      compatibility_level: "3.6",
      queue_directory: this.#path("spool"),
      data_directory: this.#path("data"),
      command_directory: "/usr/sbin",
      daemon_directory: DAEMONS,
      mail_owner: "postfix",
      setgid_group: "postdrop",
      maillog_file: this.#path("postfix.log"),
      maillog_file_prefixes: this.#folder,
      inet_protocols: "ipv4",
      myhostname: "postfix.example",
      mydestination: "",
      local_recipient_maps: "",
      alias_maps: "",
      notify_classes: "",
      default_transport: "error:no mail leaves this machine",
      relay_transport: "error:no mail leaves this machine",
      virtual_mailbox_domains: "example.org",
      virtual_mailbox_maps: `regexp:${conf("mailboxes")}`,
      virtual_mailbox_base: this.#path("mail"),
      virtual_uid_maps: `static:${NOBODY}`,
      virtual_gid_maps: `static:${NOBODY}`,
      virtual_minimum_uid: "1",
      header_checks: `regexp:${conf("headers")}`,
      message_size_limit: String(messageSizeLimit ?? 10_240_000),
      virtual_mailbox_limit: "0",
      smtpd_sender_restrictions: `check_sender_access texthash:${conf("senders")}`,
      smtpd_recipient_restrictions: `check_recipient_access texthash:${conf("recipients")} reject_unauth_destination`,
      ...(certificate === undefined ? {} : { smtpd_tls_chain_files: conf("tls.pem") }),
    };
    const line = ([name, value]: readonly [string, string]): string => `${name} = ${value}\n`;
    await writeFile(conf("main.cf"), Object.entries(main).map(line).join(""));
    const doors = Object.entries(listeners).map(([name, settings]) => {
      const own = Object.entries(settings).map(([setting, value]) => `\n  -o { ${setting} = ${value} }`);
      return `127.0.0.1:${this.port(name)} inet n - n - - smtpd${own.join("")}\n`;
    });
    await writeFile(conf("master.cf"), `${doors.join("")}${SERVICES}`);
  }
}

/** master.cf(5), without a client for SMTP. */
const SERVICES = `cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
verify unix - - n - 1 verify
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
`;

async function idOf(user: string): Promise<number> {
  return Number((await run("id", ["-u", user])).stdout);
}
