import type { Envelope, Mailbox } from "../core/message.ts";
import { splitList } from "./mailbox-list.ts";
import { addressKey, parseAddress } from "./mailbox.ts";
import type { Report } from "./problem.ts";
import type { ReadContext } from "./read-context.ts";
import type { MessageInput } from "./schema.ts";

/**
 * Reads the envelope, or makes it of the headers' mailboxes. `recipients` is null for a raw message, whose envelope must
 * name them: its headers may name others, as in a mailing list. Two forms of one address are one recipient.
 */
export function readEnvelope(
  input: MessageInput,
  recipients: readonly string[] | null,
  from: Mailbox | null,
  { limits, report, isBad }: ReadContext,
): Envelope {
  const given = input.envelope;
  const all = given?.to === undefined ? (recipients ?? []) : parseAddresses("envelope.to", given.to, report);
  const rcptTo = distinct(all);
  if (rcptTo.length > limits.maxRecipients) {
    report(given?.to === undefined ? "to" : "envelope.to", `names more than ${limits.maxRecipients} recipients`);
  }
  if (rcptTo.length === 0 && !["to", "cc", "bcc", "envelope"].some(isBad)) {
    if (recipients === null || given?.to !== undefined) report("envelope.to", "names no recipient");
    else report("message", "needs at least one recipient in to, cc or bcc");
  }
  return { mailFrom: readMailFrom(given?.from, from, report), rcptTo };
}

/** The first form of each address, in order. */
function distinct(addresses: readonly string[]): string[] {
  const byKey = new Map<string, string>();
  for (const address of addresses) {
    const key = addressKey(address);
    if (!byKey.has(key)) byKey.set(key, address);
  }
  return [...byKey.values()];
}

function readMailFrom(given: string | undefined, from: Mailbox | null, report: Report): string {
  if (given === undefined) return from?.address ?? "";
  if (/^\s*(?:<\s*>)?\s*$/.test(given)) return ""; // the null sender of a bounce (RFC 5321 4.5.5)
  const address = parseAddress(given);
  if (address.ok) return address.value;
  report("envelope.from", address.rule, given);
  return "";
}

function parseAddresses(field: string, input: string | readonly string[], report: Report): string[] {
  return [input].flat().flatMap((text, index) => {
    const place = typeof input === "string" ? field : `${field}[${index}]`;
    const list = splitList(text);
    if (!list.ok) report(place, list.rule, text);
    return (list.ok ? list.value : []).flatMap((piece) => {
      const address = parseAddress(piece);
      if (!address.ok) report(place, address.rule, piece);
      return address.ok ? [address.value] : [];
    });
  });
}
