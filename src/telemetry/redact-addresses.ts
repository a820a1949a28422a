/** Anything that looks like a mail address. Takes in more than an address rather than less. */
const ADDRESS = /[^\s<>"'(),:;[\]]+@[^\s<>"'(),:;[\]]+/gu;

/** A text with the local part of each mail address taken out: the domain stays, since operators search by it. */
export function redactAddresses(text: string): string {
  return text.replace(ADDRESS, (address) => `‹hidden›@${address.slice(address.lastIndexOf("@") + 1)}`);
}
