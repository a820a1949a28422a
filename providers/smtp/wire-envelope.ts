import { domainToASCII } from "node:url";
import type { Envelope, Evidence } from "../../src/core/index.ts";

/** An envelope as this server can take it, and the recipients it cannot, with their places in the envelope given. */
export type WireEnvelope = {
  readonly envelope: Envelope;
  /** For each recipient of `envelope`, the recipient it stands for. */
  readonly recipients: readonly string[];
  readonly unwritable: readonly { readonly recipient: string; readonly evidence: Evidence }[];
};

const NON_ASCII = /[\u0080-\uffff]/;

/**
 * Without SMTPUTF8 an address must be ASCII (RFC 6531 3.4): a domain can be written as A-labels, a local part cannot.
 * nodemailer would write it as it is, and leave the consequences to the server. A sender that cannot be written is the
 * evidence returned.
 */
export function writeEnvelope(
  mailFrom: string,
  recipients: readonly string[],
  smtpUtf8: boolean,
): WireEnvelope | Evidence {
  if (smtpUtf8) return { envelope: { mailFrom, rcptTo: recipients }, recipients, unwritable: [] };
  const sender = toAscii(mailFrom);
  if (sender === null) return unwritable("mail", mailFrom);
  const written = recipients.map((recipient) => ({ recipient, ascii: toAscii(recipient) }));
  const writable = written.flatMap(({ recipient, ascii }) => (ascii === null ? [] : [{ recipient, ascii }]));
  return {
    envelope: { mailFrom: sender, rcptTo: writable.map(({ ascii }) => ascii) },
    recipients: writable.map(({ recipient }) => recipient),
    unwritable: written
      .filter(({ ascii }) => ascii === null)
      .map(({ recipient }) => ({ recipient, evidence: unwritable("rcpt", recipient) })),
  };
}

function toAscii(address: string): string | null {
  if (!NON_ASCII.test(address)) return address;
  const at = address.lastIndexOf("@");
  const domain = domainToASCII(address.slice(at + 1));
  if (domain === "" || NON_ASCII.test(address.slice(0, at))) return null;
  return `${address.slice(0, at)}@${domain}`;
}

function unwritable(stage: "mail" | "rcpt", address: string): Evidence {
  const text = `the server takes no internationalised address (no SMTPUTF8): ${address}`;
  return { stage, status: "5.6.7", text };
}
