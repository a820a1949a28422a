/** The first header field of this name in a MIME message, unfolded, or null. Case does not matter. */
export function headerOf(content: Buffer, name: string): string | null {
  const end = content.indexOf("\r\n\r\n");
  const head = content.toString("utf8", 0, end === -1 ? content.length : end).replaceAll(/\r\n(?=[ \t])/g, "");
  const prefix = `${name.toLowerCase()}:`;
  const line = head.split("\r\n").find((field) => field.toLowerCase().startsWith(prefix));
  return line === undefined ? null : line.slice(prefix.length).trim();
}

/** The address in a mailbox header such as `"A. B." <a@b.test>`, or null where there is none. */
export function addressIn(header: string | null): string | null {
  if (header === null) return null;
  const angle = /<([^<>\s]*)>\s*$/.exec(header);
  const address = angle?.[1] ?? header.trim();
  return address.includes("@") ? address : null;
}
