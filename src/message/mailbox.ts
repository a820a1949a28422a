import { isIPv4, isIPv6 } from "node:net";
import { domainToASCII } from "node:url";

import emailAddresses from "email-addresses";

import type { Mailbox } from "../core/message.ts";
import type { Parsed } from "./problem.ts";
import { headerTextProblem, isAscii } from "./text.ts";

// RFC 5321 4.5.3.1: 64 octets for the local part, 256 for a path with its angle brackets, so 254 for the address.
const maxLocalBytes = 64;
const maxAddressBytes = 254;
const maxMailboxLength = 600;

// atext of RFC 5322 3.2.3 with the non-ASCII of RFC 6532 3.2.
const atext = String.raw`[\w!#$%&'*+\-/=?^\x60{|}~\u0080-\u{10ffff}]`;
const dotAtom = new RegExp(String.raw`^${atext}+(?:\.${atext}+)*$`, "u");
const bareAddress = /^([^\s"(),:;<>[\\\]@]+)@([^\s"(),:;<>[\\\]@]+)$/;
const namedAddress = /^([^"(),:;<>@\\]*)<([^<>\s]+)>$/;
const domainLabel = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/**
 * Reads one mailbox of RFC 5322: `Name <local@domain>` or `local@domain`. Of the obsolete forms only dots in an
 * unquoted name pass, since people write them. Comments are dropped.
 */
export function parseMailbox(text: string): Parsed<Mailbox> {
  const trimmed = text.trim();
  const bad = lineProblem(trimmed);
  if (bad !== null) return refuse(bad);
  const named = namedAddress.exec(trimmed);
  if (named !== null) return withName(named[1] ?? null, parseAddress(named[2] ?? ""));
  return bareAddress.test(trimmed) ? withName(null, parseAddress(trimmed)) : parseQuoted(trimmed);
}

/**
 * Reads a bare address, with or without its angle brackets. Where the local part is ASCII, a domain with other letters
 * becomes A-labels, so that servers without SMTPUTF8 take it; else both sides stay as given (RFC 6531 3.2, 3.7.1).
 */
export function parseAddress(text: string): Parsed<string> {
  const trimmed = text.trim().replace(/^<([^<>]*)>$/, "$1");
  const bad = lineProblem(trimmed);
  if (bad !== null) return refuse(bad);
  const bare = bareAddress.exec(trimmed);
  if (bare !== null) {
    const [, local = "", domain = ""] = bare;
    return dotAtom.test(local) ? checkAddress(local, domain) : refuse(addressHint(trimmed));
  }
  const mailbox = parseQuoted(trimmed);
  if (!mailbox.ok) return mailbox;
  return mailbox.value.name === null
    ? { ok: true, value: mailbox.value.address }
    : refuse("is not a bare mail address");
}

/** Reads a display name given on its own. Null where it is empty. */
export function parseName(text: string): Parsed<string | null> {
  const bad = headerTextProblem(text.trim());
  return bad === null ? { ok: true, value: cleanName(text) } : refuse(bad);
}

/** Two addresses with one key are one recipient: domains are alike in any case and form, local parts only as they are. */
export function addressKey(address: string): string {
  const at = address.lastIndexOf("@");
  return `${address.slice(0, at)}@${asciiDomain(address.slice(at + 1))}`;
}

/** A domain in lower case with A-labels (RFC 5890), or the empty string where it has no such form. */
export function asciiDomain(domain: string): string {
  return isAscii(domain) ? domain.toLowerCase() : domainToASCII(domain);
}

/** Quoted names, quoted local parts, comments and domain literals: what is rare enough for the full grammar. */
function parseQuoted(text: string): Parsed<Mailbox> {
  const parsed = emailAddresses({ input: text, rfc6532: true, strict: true, startAt: "mailbox" });
  const mailbox = parsed?.addresses[0];
  if (mailbox?.type !== "mailbox") return refuse(addressHint(text));
  return withName(mailbox.name, checkAddress(mailbox.local, mailbox.domain));
}

function addressHint(text: string): string {
  return /\.\.|^\.|\.@/.test(text)
    ? "has a dot too many before its @: a local part like this must be in quotes"
    : "is not a mail address";
}

function checkAddress(local: string, domain: string): Parsed<string> {
  if (/[\p{Cc}\p{Cs}]|(?! )\p{Z}/u.test(local)) return refuse("is not a mail address");
  if (/[<>]/.test(local)) return refuse("has an angle bracket in its local part");
  const quoted = dotAtom.test(local) ? local : `"${local.replace(/["\\]/g, String.raw`\$&`)}"`;
  if (Buffer.byteLength(quoted) > maxLocalBytes) return refuse(`has a local part of more than ${maxLocalBytes} octets`);
  const bad = domainProblem(domain);
  if (bad !== null) return refuse(bad);
  const address = `${quoted}@${isAscii(quoted) && !isAscii(domain) ? asciiDomain(domain) : domain}`;
  if (Buffer.byteLength(address) > maxAddressBytes) return refuse(`is longer than ${maxAddressBytes} octets`);
  return { ok: true, value: address };
}

/** RFC 5321 4.1.2: labels of letters, digits and inner hyphens, or an address literal. */
function domainProblem(domain: string): string | null {
  const literal = /^\[(?:(IPv6:)?(.*))\]$/i.exec(domain);
  if (literal !== null) {
    const isAddress = literal[1] === undefined ? isIPv4(literal[2] ?? "") : isIPv6(literal[2] ?? "");
    return isAddress ? null : "has a domain literal that is no IP address";
  }
  const ascii = asciiDomain(domain);
  const labels = ascii.split(".");
  if (ascii.length > 253 || !labels.every((label) => domainLabel.test(label))) return "has a malformed domain";
  return /^\d+$/.test(labels.at(-1) ?? "") ? "has a bare IP address as its domain: put it in [brackets]" : null;
}

function lineProblem(text: string): string | null {
  const bad = headerTextProblem(text);
  if (bad !== null) return bad;
  return text.length > maxMailboxLength ? `is longer than ${maxMailboxLength} characters` : null;
}

function withName(name: string | null, address: Parsed<string>): Parsed<Mailbox> {
  return address.ok ? { ok: true, value: { name: cleanName(name ?? ""), address: address.value } } : address;
}

function cleanName(name: string): string | null {
  return name.replace(/\s+/g, " ").trim() || null;
}

function refuse(rule: string): Parsed<never> {
  return { ok: false, rule };
}
