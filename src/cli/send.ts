import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { DeliveryRecord, MessageStatus } from "../core/index.ts";
import { formatProblems, parseSubmission } from "../message/index.ts";
import { Follower } from "../queue/follower.ts";
import type { Following } from "../queue/follower.ts";
import { MailQueue } from "../queue/mail-queue.ts";
import { closeRedis } from "../redis/connection.ts";
import { createKeyring, seal } from "../submission/index.ts";
import { loadOrExit } from "./settings.ts";
import { connectStore } from "./store.ts";

export type SendOptions = {
  readonly from?: string;
  readonly to: readonly string[];
  readonly cc?: readonly string[];
  readonly bcc?: readonly string[];
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  readonly attach?: readonly string[];
  readonly class?: string;
  readonly provider?: readonly string[];
  /** commander's name for `--no-wait`. */
  readonly wait: boolean;
};

const ENDED: ReadonlySet<MessageStatus> = new Set(["relayed", "bounced", "expired", "cancelled"]);

/** `mailover send`: pushes a message and follows it to its end. Exit code 1 when it bounced or expired. */
export async function send(options: SendOptions): Promise<void> {
  const { config } = loadOrExit();
  const data = await messageOf(options, defaultFrom(config.providers));
  const parsed = parseSubmission(data, config.message);
  if (!parsed.ok) {
    process.stderr.write(`${formatProblems(parsed.problems)}\n`);
    process.exitCode = 1;
    return;
  }
  const redis = await connectStore(config, "mailover-send", "blocking");
  const queue = new MailQueue(config.queue, redis);
  const follower = new Follower(config.queue, redis);
  try {
    await follower.ready();
    const keyring = createKeyring(config.encryption);
    const { addresses } = config.encryption;
    const jobId = await queue.push(seal(data, keyring, { addresses }));
    process.stdout.write(`queued as job ${jobId}\n`);
    if (!options.wait) return;
    const end = await follower.follow(
      jobId,
      (step) => {
        // The end itself follows at once, and has its own line.
        if (step.kind === "progress" && ENDED.has(step.record.status)) return;
        process.stdout.write(`${tell(step)}\n`);
      },
      new AbortController().signal,
    );
    if (end.kind === "failed") process.exitCode = 1;
  } finally {
    await follower.close();
    await queue.close();
    await closeRedis(redis);
  }
}

async function messageOf(options: SendOptions, from: string | undefined): Promise<object> {
  const { to, cc, bcc, subject, text, html, attach = [] } = options;
  const attachments = await Promise.all(
    attach.map(async (file) => ({
      filename: basename(file),
      content: (await readFile(file)).toString("base64"),
      encoding: "base64",
    })),
  );
  const given = {
    from: options.from ?? from,
    to,
    cc,
    bcc,
    subject,
    text: text ?? (html === undefined ? "" : undefined),
    html,
    attachments: attachments.length === 0 ? undefined : attachments,
    class: options.class,
    providers: options.provider,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** The mailbox of the first Microsoft 365 provider, so that a first try needs no --from. */
function defaultFrom(providers: Readonly<Record<string, object>>): string | undefined {
  const mailbox = Object.values(providers).find((provider) => "mailbox" in provider);
  return mailbox === undefined ? undefined : (mailbox as { mailbox: string }).mailbox;
}

/** One step in one line. */
function tell(step: Following): string {
  if (step.kind === "failed") return step.reason;
  const { record } = step;
  if (step.kind === "relayed") return `relayed by ${record.provider ?? ""}: ${record.attempts.at(-1)?.reply ?? ""}`;
  return waiting(record);
}

function waiting(record: DeliveryRecord): string {
  const next = record.nextAttemptAt === null ? "" : `, next attempt at ${record.nextAttemptAt}`;
  const remedy = record.attempts.at(-1)?.remedy;
  return `${record.status}: ${record.reason ?? ""}${next}${remedy === null || remedy === undefined ? "" : `\n  to mend it: ${remedy}`}`;
}
