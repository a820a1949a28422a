import type { Submission, ThrottlePolicy } from "../core/message.ts";
import { readEnvelope } from "./envelope-input.ts";
import type { MessageLimits } from "./limits.ts";
import { readParts } from "./parts-input.ts";
import { collect, isUnder } from "./problem.ts";
import type { Problem, Report } from "./problem.ts";
import { readRaw } from "./raw-input.ts";
import type { ReadContext } from "./read-context.ts";
import { reportIssues } from "./schema-problems.ts";
import { messageSchema } from "./schema.ts";
import type { MessageInput } from "./schema.ts";
import { headerTextProblem } from "./text.ts";

export type ParsedSubmission =
  | { readonly ok: true; readonly submission: Submission }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const maxMetadataBytes = 10 * 1024;

/**
 * Turns a job's data into a checked submission, or says everything that is wrong with it. A field that is null at the
 * top counts as not given, since many languages write absent values so. Reads no file and makes no request.
 */
export function parseSubmission(data: unknown, limits: MessageLimits): ParsedSubmission {
  const problems: Problem[] = [];
  const report = collect(problems);
  if (typeof data !== "object" || data === null || Array.isArray(data)) {
    report("message", "is not an object");
    return { ok: false, problems };
  }
  const given = Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null && value !== undefined));
  const checked = messageSchema.safeParse(given);
  const bad = checked.success ? new Set<string>() : reportIssues(checked.error.issues, given, report);
  // What the schema takes is read all the same, so that one answer names every problem.
  const input = checked.success
    ? checked.data
    : messageSchema.parse(Object.fromEntries(Object.entries(given).filter(([key]) => !bad.has(key))));
  const isBad = (field: string) => problems.some((problem) => isUnder(problem, field));
  const submission = readSubmission(input, "raw" in given, { limits, report, isBad });
  return submission !== null && problems.length === 0 ? { ok: true, submission } : { ok: false, problems };
}

function readSubmission(input: MessageInput, isRaw: boolean, context: ReadContext): Submission | null {
  const body = isRaw ? readRaw(input, context) : readParts(input, context);
  const envelope = readEnvelope(input, isRaw ? null : body.recipients, body.from, context);
  const { sendAt, expiresAt } = readTimes(input, context.report);
  checkLabels(input, context.report);
  if (body.from === null || body.content === null) return null;
  return {
    envelope,
    from: body.from,
    content: body.content,
    class: input.class ?? "transactional",
    tags: input.tags ?? [],
    tenant: input.tenant ?? null,
    metadata: input.metadata ?? {},
    providers: input.providers ?? null,
    expiresAt,
    sendAt,
    onUncertain: input.onUncertain ?? null,
    whenThrottled: input.whenThrottled === undefined ? null : throttlePolicy(input.whenThrottled),
    dsn: input.dsn ?? false,
    idempotencyKey: input.idempotencyKey ?? null,
  };
}

function readTimes(input: MessageInput, report: Report): Pick<Submission, "sendAt" | "expiresAt"> {
  const sendAt = input.sendAt === undefined ? null : new Date(input.sendAt);
  const expiresAt = input.expiresAt === undefined ? null : new Date(input.expiresAt);
  if (sendAt !== null && expiresAt !== null && expiresAt <= sendAt) {
    report("expiresAt", "is not after sendAt", input.expiresAt);
  }
  return { sendAt, expiresAt };
}

function checkLabels(input: MessageInput, report: Report): void {
  for (const [index, tag] of (input.tags ?? []).entries()) {
    const bad = headerTextProblem(tag);
    if (bad !== null) report(`tags[${index}]`, bad);
  }
  const badTenant = headerTextProblem(input.tenant ?? "");
  if (badTenant !== null) report("tenant", badTenant);
  if (new Set(input.providers).size !== (input.providers?.length ?? 0)) report("providers", "names a provider twice");
  if (Buffer.byteLength(JSON.stringify(input.metadata ?? {})) > maxMetadataBytes) {
    report("metadata", `has more than ${maxMetadataBytes} octets of JSON`);
  }
}

function throttlePolicy(choice: NonNullable<MessageInput["whenThrottled"]>): ThrottlePolicy {
  if (choice === "wait") return { maxWaitMs: Number.POSITIVE_INFINITY };
  return { maxWaitMs: choice === "spill" ? 0 : choice.spillAfterMs };
}
