/** All header fields of a MIME message, unfolded, in their order. */
export function headersOf(content: Buffer): readonly { readonly name: string; readonly value: string }[] {
  return linesOf(content).flatMap((line) => {
    const colon = line.indexOf(":");
    return colon < 1 ? [] : [{ name: line.slice(0, colon), value: line.slice(colon + 1).trim() }];
  });
}

/** The first header field of this name in a MIME message, unfolded, or null. Case does not matter. */
export function headerOf(content: Buffer, name: string): string | null {
  const prefix = `${name.toLowerCase()}:`;
  const line = linesOf(content).find((field) => field.toLowerCase().startsWith(prefix));
  return line === undefined ? null : line.slice(prefix.length).trim();
}

/** The lines of the header, each a whole field. */
function linesOf(content: Buffer): readonly string[] {
  const end = content.indexOf("\r\n\r\n");
  const head = content.toString("utf8", 0, end === -1 ? content.length : end);
  return head.replaceAll(/\r\n(?=[ \t])/g, "").split("\r\n");
}

/** The address in a mailbox header such as `"A. B." <a@b.test>`, or null where there is none. */
export function addressIn(header: string | null): string | null {
  if (header === null) return null;
  const angle = /<([^<>\s]*)>\s*$/.exec(header);
  const address = angle?.[1] ?? header.trim();
  return address.includes("@") ? address : null;
}
