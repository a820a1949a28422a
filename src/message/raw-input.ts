import { decodeContent } from "./content.ts";
import type { ReadBody } from "./parts-input.ts";
import type { Parsed } from "./problem.ts";
import { parseRaw } from "./raw.ts";
import type { ReadContext } from "./read-context.ts";
import type { MessageInput, RawInput } from "./schema.ts";

/** What a finished message has in itself already. */
const composedFields = [
  "from",
  "to",
  "cc",
  "bcc",
  "replyTo",
  "subject",
  "text",
  "html",
  "headers",
  "attachments",
  "icalEvent",
] as const satisfies readonly (keyof MessageInput)[];

/** Reads a finished MIME message. */
export function readRaw(input: MessageInput, { limits, report }: ReadContext): ReadBody {
  for (const field of composedFields) {
    if (input[field] !== undefined) report(field, "cannot be given together with raw");
  }
  const nothing = { from: null, recipients: [], content: null };
  if (input.raw === undefined) return nothing;
  const raw = decode(input.raw);
  const message = raw.ok ? parseRaw(raw.value, limits) : raw;
  if (!message.ok) {
    report("raw", message.rule);
    return nothing;
  }
  if (message.value.raw.length > limits.maxSizeBytes) report("raw", `has more than ${limits.maxSizeBytes} octets`);
  return { from: message.value.from, recipients: [], content: { kind: "raw", raw: message.value.raw } };
}

function decode(input: RawInput): Parsed<Buffer> {
  if (typeof input === "string" || "data" in input) return decodeContent(input);
  return decodeContent(input.content, input.encoding);
}
