import { domainOf } from "./message.ts";
import type { Mailbox } from "./message.ts";

/** From addresses a provider must use in place of the app's own: address, domain or "*" to address. Keys in lower case. */
export type FromMapping = Readonly<Record<string, string>>;

/** The From a provider sends as, or null where the app's own stays. The display name is kept. */
export function mapFrom(mapping: FromMapping, from: Mailbox): Mailbox | null {
  const address = mapping[from.address.toLowerCase()] ?? mapping[domainOf(from.address)] ?? mapping["*"];
  if (address === undefined || address.toLowerCase() === from.address.toLowerCase()) return null;
  return { name: from.name, address };
}
