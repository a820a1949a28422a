import assert from "node:assert/strict";
import { inspect } from "node:util";

/** Shorter parts of a base64 text than this are met by chance. */
const MIN_PART_LENGTH = 8;

/** Fails where one of the secrets, as it is or encoded, is in what was said. The secret itself is not told. */
export function assertSecret(what: string, said: unknown, secrets: readonly string[]): void {
  const text = textOf(said);
  for (const [index, secret] of secrets.entries()) {
    const leaked = formsOf(secret).find((form) => text.includes(form));
    assert.ok(leaked === undefined, `${what} holds secret number ${index + 1}, as it is or encoded`);
  }
}

/** All of a value: also what JSON leaves out, such as an error's message or a property that is not enumerable. */
function textOf(said: unknown): string {
  if (typeof said === "string") return said;
  const shown = inspect(said, { depth: null, showHidden: true, maxArrayLength: null, maxStringLength: null });
  return `${JSON.stringify(said) ?? ""}\n${shown}`;
}

/** A secret as it is, in a URL, and in base64 wherever it may begin in what was encoded, as in AUTH PLAIN. */
function formsOf(secret: string): readonly string[] {
  const encoded = [0, 1, 2].map((offset) => {
    const bytes = Buffer.from(`${" ".repeat(offset)}${secret}`);
    // Only the characters that are made of the secret's own bits.
    const whole = bytes.toString("base64").slice(Math.ceil((offset * 4) / 3), Math.floor((bytes.length * 4) / 3));
    return whole.replace(/=+$/, "");
  });
  const long = encoded.filter((part) => part.length >= MIN_PART_LENGTH);
  const urlSafe = long.map((part) => part.replaceAll("+", "-").replaceAll("/", "_"));
  return [...new Set([secret, encodeURIComponent(secret), ...long, ...urlSafe])];
}
