import { domainToASCII } from "node:url";
import type { Mailbox } from "../../src/core/index.ts";

/** A mailbox as the v3 API writes it. */
export type ApiMailbox = { readonly email: string; readonly name?: string };

/** One message of a request: its visible To and Cc, and its hidden Bcc. All of them get a copy. */
export type Addressing = {
  readonly to: readonly ApiMailbox[];
  readonly cc?: readonly ApiMailbox[];
  readonly bcc?: readonly ApiMailbox[];
};

/** The mailboxes that a message's header names; blind ones only give their display names. */
export type HeaderMailboxes = {
  readonly to: readonly Mailbox[];
  readonly cc: readonly Mailbox[];
  readonly bcc: readonly Mailbox[];
};

/**
 * Addresses the recipients of one transmission. In the v3 API the header is the envelope: who stands in `to` or `cc`
 * gets a copy, and there is no other way to be named there. So
 * - a mailbox of the header that is not in this transmission (it has its copy, or was refused) is left out: a second copy
 *   is worse than a shorter To line;
 * - a recipient that the header does not name is blind: `bcc`;
 * - `to` must not be empty: without one the `cc` move up, for they are visible anyway;
 * - where all are blind, each gets a message of his own with only himself in `to`, so that none learns of another.
 * No address comes twice, whatever its case: the API refuses that.
 */
export function addressRecipients(header: HeaderMailboxes, recipients: readonly string[]): readonly Addressing[] {
  const waiting = new Map(recipients.map((recipient) => [addressKey(recipient), recipient]));
  const take = (mailboxes: readonly Mailbox[]): ApiMailbox[] => {
    const taken: ApiMailbox[] = [];
    for (const { name, address } of mailboxes) {
      const recipient = waiting.get(addressKey(address));
      if (recipient === undefined) continue;
      waiting.delete(addressKey(address));
      taken.push(recipientMailbox({ name, address: recipient }));
    }
    return taken;
  };
  const to = take(header.to);
  const cc = take(header.cc);
  const blind = take(header.bcc);
  blind.push(...[...waiting.values()].map((address) => ({ email: asciiAddress(address) })));
  if (to.length === 0 && cc.length === 0) return blind.map((mailbox) => ({ to: [mailbox] }));
  const visible = to.length > 0 ? { to, cc } : { to: cc, cc: [] };
  return [
    {
      to: visible.to,
      ...(visible.cc.length > 0 && { cc: visible.cc }),
      ...(blind.length > 0 && { bcc: blind }),
    },
  ];
}

/** A mailbox outside the personalizations: From and Reply-To. */
export function apiMailbox({ name, address }: Mailbox): ApiMailbox {
  const email = asciiAddress(address);
  return name === null || name === "" ? { email } : { email, name };
}

/** The same address, however it is written: the local part's case does not count at SendGrid. */
export function addressKey(address: string): string {
  return asciiAddress(address).toLowerCase();
}

/** The address with its domain in Punycode (RFC 3492), as the API takes no other. A domain that has none stays as it is. */
export function asciiAddress(address: string): string {
  const at = address.lastIndexOf("@");
  const domain = domainToASCII(address.slice(at + 1));
  return domain === "" ? address : `${address.slice(0, at + 1)}${domain}`;
}

/** The API takes a bare comma or semicolon in a recipient's name for the end of the mailbox (sendgrid-python#291). */
function recipientMailbox({ name, address }: Mailbox): ApiMailbox {
  if (name === null || !/[,;]/.test(name)) return apiMailbox({ name, address });
  return apiMailbox({ name: `"${name.replaceAll(/["\\]/g, String.raw`\$&`)}"`, address });
}
