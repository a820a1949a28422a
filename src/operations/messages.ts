import type { DeliveryRecord, MessageStatus } from "../core/index.ts";
import { fold } from "../ledger/fold.ts";
import type { Intervention, Introduction, Ledger } from "../ledger/ledger.ts";
import type { KeptJob, MailQueue } from "../queue/mail-queue.ts";
import { introduce } from "./introduction.ts";
import type { IntroductionParts } from "./introduction.ts";
import type { MessageIndex } from "./message-index.ts";

export type MessagesParts = IntroductionParts & {
  readonly queue: MailQueue;
  readonly ledger: Ledger;
  readonly index: MessageIndex;
};

/** What became of somebody's wish. `sentence` is for people; it says what to do where it was not fulfilled. */
export type Answer =
  | { readonly done: true; readonly sentence: string; readonly record: DeliveryRecord }
  | { readonly done: false; readonly sentence: string };

/** Who wants something, such as `ann@desk`, and why; both are written into the ledger. */
export type Wish = { readonly by: string; readonly reason: string };

/** A message that nobody sends again by itself. */
export type HeldMessage = {
  readonly jobId: string;
  readonly id: string;
  /** When the attempt ended that left it uncertain, ISO 8601; null where the record does not say. */
  readonly since: string | null;
  /** The provider that may have it. */
  readonly provider: string | null;
  /** Recipients that still wait. */
  readonly recipientCount: number;
  readonly reason: string | null;
  /** When it ends as expired, ISO 8601. */
  readonly until: string | null;
};

const SAID: Partial<Record<MessageStatus, string>> = {
  relayed: "it was relayed already",
  bounced: "it bounced already",
  expired: "it expired already",
  cancelled: "it was cancelled already",
};

/** What people do to messages that wait. A message is named by its job's id, or by its own (X-Mailover-Id). */
export class Messages {
  readonly #parts: MessagesParts;

  constructor(parts: MessagesParts) {
    this.#parts = parts;
  }

  /** Every held message, the first to expire first. */
  async *held(): AsyncGenerator<HeldMessage> {
    for await (const job of this.#parts.queue.delayed()) {
      const record = heldRecord(job);
      if (record === null) continue;
      yield {
        jobId: job.id,
        id: record.id,
        since: record.attempts.at(-1)?.endedAt ?? null,
        provider: record.uncertainAt,
        recipientCount: record.recipients.filter(({ status }) => status === "pending").length,
        reason: record.attempts.at(-1)?.reply ?? record.reason,
        until: record.nextAttemptAt,
      };
    }
  }

  /** Lets a held message go on, at the provider that may have it: maybe as a second copy. */
  async release(name: string, by: string): Promise<Answer> {
    const job = await this.find(name);
    if (job === null) return unknown(name);
    if (job.state !== "delayed" || heldRecord(job) === null) return no(job, "it is not held");
    const introduced = introduce(job, this.#parts);
    if (!introduced.ok) return no(job, introduced.problem);
    const taken = await this.#parts.ledger.take(introduced.introduction, by);
    if (taken.kind === "duplicate" || taken.record.status !== "held") return no(job, "it is not held");
    const { hold, record } = taken;
    // Without the time that it was held until: this is what lets it go on, whenever its job comes.
    const change = { status: "held", nextAttemptAt: null } as const;
    const written = await this.#parts.ledger.move(hold, 1, { type: "message.released", change });
    if (!written || !(await this.#parts.queue.promote(job.id))) return no(job, "a worker has just taken it");
    return { done: true, sentence: `job ${job.id}: released to ${record.uncertainAt ?? "its route"}`, record };
  }

  /** Ends a held message: it is not sent again. */
  async drop(name: string, wish: Wish): Promise<Answer> {
    const job = await this.find(name);
    if (job === null) return unknown(name);
    if (job.failedReason !== null) return no(job, `it is over: ${job.failedReason}`);
    if (job.state !== "delayed" || heldRecord(job) === null) return no(job, "it is not held; mailover cancel ends it");
    return this.#cancel(job, wish);
  }

  /** Ends a message that waits. Its job fails with `cancelled: …` as soon as a worker takes it. */
  async cancel(name: string, wish: Wish): Promise<Answer> {
    const job = await this.find(name);
    return job === null ? unknown(name) : this.#cancel(job, wish);
  }

  /** A message's job, by either of its names; null where it is not kept. */
  async find(name: string): Promise<KeptJob | null> {
    const { queue, index } = this.#parts;
    const job = await queue.find(name);
    if (job !== null) return job;
    const jobId = await index.jobOf(name);
    return jobId === null ? null : queue.find(jobId);
  }

  async #cancel(job: KeptJob, { by, reason }: Wish): Promise<Answer> {
    const { queue, ledger, index } = this.#parts;
    const introduced = introduce(job, this.#parts);
    if (!introduced.ok) return no(job, introduced.problem);
    const { introduction } = introduced;
    const owner = await index.jobOf(introduction.id);
    if (owner !== null && owner !== job.id) return no(job, `it brings the message of job ${owner} again: cancel that`);
    if (owner === null && job.failedReason !== null) return no(job, `it is over: ${job.failedReason}`);
    const done = await ledger.cancel(introduction, by, reason);
    if (done.kind !== "done") return no(job, await this.#whyNot(done, introduction));
    await queue.promote(job.id);
    const relayedCount = done.record.recipients.filter(({ status }) => status === "relayed").length;
    const copies = relayedCount === 0 ? "" : `; ${relayedCount} of ${done.record.recipients.length} recipients have it`;
    const doubt = done.record.unsettled ? "; a provider may have accepted it before" : "";
    return { done: true, sentence: `job ${job.id}: cancelled${copies}${doubt}`, record: done.record };
  }

  async #whyNot(done: Exclude<Intervention, { kind: "done" }>, { id, metadata }: Introduction): Promise<string> {
    if (done.kind === "refused") {
      const over = SAID[done.status];
      if (over !== undefined) return over;
    }
    const { attempts } = fold(id, await this.#parts.ledger.log(id), metadata);
    const last = attempts.at(-1);
    const after = last === undefined ? "" : `, ${last.number} attempts before`;
    return `a worker has it${after}: try again when it waits, or see how it ends`;
  }
}

/** The progress of a job is a field that an app could write: what is no record is not held. */
function heldRecord({ progress }: KeptJob): DeliveryRecord | null {
  const record = (typeof progress === "object" ? progress : null) as DeliveryRecord | null;
  const isRecord = Array.isArray(record?.attempts) && Array.isArray(record.recipients);
  return isRecord && record.status === "held" ? record : null;
}

function unknown(name: string): Answer {
  return { done: false, sentence: `there is no job and no message ${name}, or it is no longer kept` };
}

function no({ id }: KeptJob, why: string): Answer {
  return { done: false, sentence: `job ${id}: not done, since ${why}` };
}
