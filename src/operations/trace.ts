import type { AttemptRecord, DeliveryRecord } from "../core/index.ts";
import type { LedgerEvent } from "../ledger/event.ts";
import { fold } from "../ledger/fold.ts";
import { introduce } from "./introduction.ts";
import type { MessagesParts } from "./messages.ts";
import { Messages } from "./messages.ts";

/** Everything that is known of one message. */
export type Trace = {
  readonly jobId: string;
  readonly record: DeliveryRecord;
  readonly log: readonly LedgerEvent[];
};

/** Traces by a job's id, a message's own id or its Message-ID, which several messages of an app's own may share. */
export async function traceMessage(name: string, parts: MessagesParts): Promise<readonly Trace[]> {
  const job = await new Messages(parts).find(name);
  const known = job === null ? null : (idIn(job.progress) ?? idIn(job.result));
  const introduced = job === null || known !== null ? null : introduce(job, parts);
  const own = known ?? (introduced?.ok === true ? introduced.introduction.id : null);
  const byName = own === null && (await parts.index.jobOf(name)) !== null ? name : null;
  const ids = [own ?? byName].filter((id) => id !== null);
  const found = ids.length > 0 || !name.includes("@") ? ids : await parts.index.byMessageId(name);
  const traces = await Promise.all(found.map((id) => traceOf(id, job?.id ?? null, parts)));
  return traces.filter((trace) => trace !== null);
}

/** Plain lines: the message, its recipients, and its log with replies word for word. */
export function formatTrace({ jobId, record, log }: Trace): string {
  const wide = Math.max(...log.map(({ by }) => by.length));
  return [
    `${record.id}  job ${jobId}  ${withReason(record.status, record.reason)}`,
    `Message-ID ${record.messageId}`,
    ...(record.possibleDuplicate ? ["a second copy may exist"] : []),
    ...record.recipients.map(
      ({ address, status, provider, reason }) =>
        `  ${address}  ${status}${provider === null ? "" : ` by ${provider}`}${reason === null ? "" : `: ${oneLine(reason)}`}`,
    ),
    ...log.map((event) => `${new Date(event.at).toISOString()}  ${event.by.padEnd(wide)}  ${describe(event)}`),
  ].join("\n");
}

async function traceOf(id: string, jobId: string | null, { ledger, index }: MessagesParts): Promise<Trace | null> {
  const log = await ledger.log(id);
  if (log.length === 0) return null;
  return { jobId: (await index.jobOf(id)) ?? jobId ?? "", record: fold(id, log), log };
}

function describe(event: LedgerEvent): string {
  switch (event.type) {
    case "message.received":
      return `received, class ${event.class}, for ${event.recipients.length} recipients`;
    case "attempt.started":
      return `attempt ${event.number} at ${event.provider} started`;
    case "attempt.ended":
      return describeAttempt(event.attempt);
    case "message.deferred":
    case "message.held": {
      const { reason, nextAttemptAt } = event.change;
      return `${withReason(wordOf(event.type), reason)}${nextAttemptAt ? `, until ${nextAttemptAt}` : ""}`;
    }
    default:
      return withReason(wordOf(event.type), event.change.reason);
  }
}

function describeAttempt({
  number,
  provider,
  outcome,
  cause,
  stage,
  startedAt,
  endedAt,
  ...attempt
}: AttemptRecord): string {
  const tookMs = Date.parse(endedAt) - Date.parse(startedAt);
  const why = [cause === null || cause === outcome ? [] : cause, stage === null ? [] : `at ${stage}`].flat().join(" ");
  const remedy = attempt.remedy === null ? "" : ` To mend it: ${attempt.remedy}`;
  return `attempt ${number} at ${provider} ${outcome}${why === "" ? "" : `, ${why}`}, in ${tookMs} ms: ${oneLine(attempt.reply)}${remedy}`;
}

function wordOf(type: LedgerEvent["type"]): string {
  return type.replace("message.", "");
}

/** Reasons of held messages begin with the word themselves. */
function withReason(word: string, reason: string | null | undefined): string {
  if (reason === null || reason === undefined) return word;
  return reason.startsWith(`${word}: `) ? oneLine(reason) : `${word}: ${oneLine(reason)}`;
}

/** Word for word, but a line is a line. */
function oneLine(text: string): string {
  return text.replace(/\s*\r?\n\s*/g, " ");
}

function idIn(record: unknown): string | null {
  const { id } = (typeof record === "object" && record !== null ? record : {}) as { readonly id?: unknown };
  return typeof id === "string" ? id : null;
}
