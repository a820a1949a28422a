import { encodeWord } from "nodemailer/lib/mime-funcs";
import type { Mailbox } from "../../src/core/index.ts";

/** Letters that need no quotes in a display name: atoms of RFC 5322 3.2.3 and spaces between them. */
const ATOMS = /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+(?: [A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+)*$/;
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/** Octets of an encoded word without its frame, so that a line with it stays below 78 (RFC 2047 section 2). */
const WORD_CHARS = 52;

/** A mailbox as it stands in a header field, folded where its name is long. */
export function mailboxHeader({ name, address }: Mailbox): string {
  if (name === null || name === "") return address;
  if (ATOMS.test(name) && !name.includes("=?")) return `${name} <${address}>`;
  if (PRINTABLE_ASCII.test(name) && !name.includes("=?")) {
    return `"${name.replaceAll(/["\\]/g, (letter) => `\\${letter}`)}" <${address}>`;
  }
  return `${encodeWord(name, "B", WORD_CHARS).replaceAll(" ", "\r\n ")}\r\n <${address}>`;
}
