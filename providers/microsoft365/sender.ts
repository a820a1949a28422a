import { domainOf } from "../../src/core/index.ts";

/** Whether the mailbox may send as an address: its own, one that `sendAs` lists, or one of a listed domain ("@x.com"). */
export function maySendAs(mailbox: string, sendAs: readonly string[], address: string): boolean {
  const wanted = address.toLowerCase();
  const allowed = new Set([mailbox, ...sendAs].map((entry) => entry.toLowerCase()));
  return allowed.has(wanted) || allowed.has(`@${domainOf(wanted)}`);
}
