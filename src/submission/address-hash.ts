import { createHmac } from "node:crypto";
import type { KeyObject } from "node:crypto";

/** Hexadecimal digits for a local part: 80 bits. Among a billion addresses two are alike with odds of one in two million. */
const DIGITS = 20;

const HASHED = new RegExp(`^#[0-9a-f]{${DIGITS}}@`);

/**
 * A stable stand-in for an address: `#` and 20 hexadecimal digits in place of the local part, the domain in lower case.
 * It can be searched for, but not turned back without the key. Upper and lower case make no difference, as to nearly
 * every mail system, whatever RFC 5321 2.4 allows. What is hashed already comes back as it is, and so does a text
 * without `@`, such as the null sender.
 */
export function hashAddress(address: string, key: KeyObject): string {
  if (!address.includes("@") || HASHED.test(address)) return address;
  const canonical = address.normalize("NFC").toLowerCase();
  const digest = createHmac("sha256", key).update(canonical, "utf8").digest("hex").slice(0, DIGITS);
  return `#${digest}${canonical.slice(canonical.lastIndexOf("@"))}`;
}

/**
 * Anything that looks like a mail address, as in `550 5.1.1 <bob@contoso.com>: no such user`. The quote before a word
 * and the dot that ends a sentence are no part of it. Bounded, so that a long text without addresses takes no long time.
 */
const ADDRESS = new RegExp(
  [
    /(?:"[^"\r\n]{1,256}"|[^\s<>"'(),:;[\]@][^\s<>"(),:;[\]@]{0,255})/, // RFC 5321 4.1.2 allows 64; SRS makes it longer.
    /@/,
    /(?:\[[^\]\s]{1,64}\]|[^\s<>"'(),:;[\]@]*[^\s<>"'(),:;[\]@.])/, // An address literal, or a domain.
  ]
    .map(({ source }) => source)
    .join(""),
  "gu",
);

/** A text, such as a provider's reply, with each address in it hashed as `hashAddress` does. */
export function hashAddressesIn(text: string, key: KeyObject): string {
  return text.replace(ADDRESS, (address) => hashAddress(address, key));
}
