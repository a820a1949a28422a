import { parseEnhancedStatus } from "./status.ts";
import type { EnhancedStatus } from "./status.ts";

/** A reply of an SMTP server: `550-5.1.1 No such user\r\n550 5.1.1 here` and its parts. */
export type Reply = { readonly code: number; readonly status: EnhancedStatus | null; readonly text: string };

/**
 * A reply's lines as the one sentence they are: servers wrap it wherever they like, and repeat the code, often the
 * enhanced status too, on each line.
 */
export function joinReplyLines(text: string): string {
  const [first = "", ...others] = text.trim().split(/\s*\r?\n\s*/);
  const words = others.map((line) => line.replace(/^\d{3}(?:[ -]|$)\s*(?:[245]\.\d{1,3}\.\d{1,3}(?:\s+|$))?/, ""));
  return [first, ...words].filter((line) => line !== "").join(" ");
}

/**
 * Reads a reply, of one line or more, word for word. The enhanced status is taken from the first line that has one.
 * Returns null where the text does not begin with a reply code.
 */
export function parseReply(text: string): Reply | null {
  const match = /^\s*([2-5]\d\d)(?:[ -]|$)/.exec(text);
  if (match === null) return null;
  const lines = text.trim().split(/\r?\n/);
  const statuses = lines.map((line) => parseEnhancedStatus(line.replace(/^\d{3}[ -]?/, "")));
  return {
    code: Number(match[1]),
    status: statuses.find((status) => status !== null) ?? null,
    text: text.trim(),
  };
}
