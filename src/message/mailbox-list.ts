import type { Mailbox } from "../core/message.ts";
import { parseAddress, parseMailbox, parseName } from "./mailbox.ts";
import type { Parsed, Report } from "./problem.ts";
import type { MailboxInput } from "./schema.ts";

/** Mailboxes of one field as an app may write them: a string with commas, an object, or a list of both. */
export type MailboxesInput = MailboxInput | readonly MailboxInput[];

/** Reads all mailboxes of a field and reports each bad one by its place and text. */
export function parseMailboxes(field: string, input: MailboxesInput, report: Report): Mailbox[] {
  const items = Array.isArray(input) ? (input as readonly MailboxInput[]) : [input as MailboxInput];
  return items.flatMap((item, index) => {
    const place = Array.isArray(input) ? `${field}[${index}]` : field;
    return typeof item === "string" ? parseText(place, item, report) : parseObject(place, item, report);
  });
}

function parseText(field: string, text: string, report: Report): Mailbox[] {
  const list = splitList(text);
  if (!list.ok) {
    report(field, list.rule, text);
    return [];
  }
  return list.value.flatMap((piece) => keep(field, piece, parseMailbox(piece), report));
}

function parseObject(field: string, item: Exclude<MailboxInput, string>, report: Report): Mailbox[] {
  const name = parseName(item.name ?? "");
  if (!name.ok) report(`${field}.name`, name.rule, item.name);
  const [address] = keep(`${field}.address`, item.address, parseAddress(item.address), report);
  return name.ok && address !== undefined ? [{ name: name.value, address }] : [];
}

function keep<T>(field: string, text: string, parsed: Parsed<T>, report: Report): T[] {
  if (parsed.ok) return [parsed.value];
  report(field, parsed.rule, text);
  return [];
}

/** Splits at the commas that stand outside quotes, comments and brackets. Empty pieces are dropped, groups refused. */
export function splitList(text: string): Parsed<string[]> {
  const pieces: string[] = [];
  let start = 0;
  let depth = 0;
  let closing = "";
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === "\\") at += 1;
    else if (closing === '"' || closing === "]" || closing === ">") closing = char === closing ? "" : closing;
    else if (char === "(") depth += 1;
    else if (char === ")") depth = Math.max(0, depth - 1);
    else if (depth > 0) continue;
    else if (char === '"') closing = '"';
    else if (char === "[") closing = "]";
    else if (char === "<") closing = ">";
    else if (char === ":" || char === ";") return { ok: false, rule: "has a colon or semicolon: groups are not taken" };
    else if (char === ",") {
      pieces.push(text.slice(start, at));
      start = at + 1;
    }
  }
  pieces.push(text.slice(start));
  return { ok: true, value: pieces.map((piece) => piece.trim()).filter((piece) => piece !== "") };
}
