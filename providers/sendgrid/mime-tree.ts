/** A part of a MIME message: its header fields, its type, and where its body lies in the message's bytes. */
export type MimePart = {
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** In lower case, "text/plain". */
  readonly type: string;
  readonly charset: string | null;
  /** In lower case, or null where the part has none. */
  readonly disposition: string | null;
  /** Content-Transfer-Encoding in lower case, "7bit" where there is none. */
  readonly encoding: string;
  readonly body: Buffer;
  /** Parts of a multipart; empty for all else. */
  readonly children: readonly MimePart[];
};

/** Deeper nesting than any mail program makes. */
const MAX_DEPTH = 10;

const CRLF = Buffer.from("\r\n");
const BLANK_LINE = Buffer.from("\r\n\r\n");

/** Splits a message with CRLF line ends into its parts (RFC 2046), or returns null where it is nested too deeply. Decodes nothing. */
export function parseMimeTree(bytes: Buffer, depth = 0): MimePart | null {
  if (depth > MAX_DEPTH) return null;
  const { head, body } = splitHead(bytes);
  const headers = parseHeaders(head);
  const value = (name: string): string => headers.find((header) => header.name.toLowerCase() === name)?.value ?? "";
  const contentType = value("content-type");
  const type = token(contentType) || "text/plain";
  const boundary = parameter(contentType, "boundary");
  const slices = type.startsWith("multipart/") && boundary !== null ? splitBody(body, boundary) : [];
  const children = slices.map((slice) => parseMimeTree(slice, depth + 1));
  if (children.includes(null)) return null;
  return {
    headers,
    type,
    charset: parameter(contentType, "charset"),
    disposition: token(value("content-disposition")) || null,
    encoding: token(value("content-transfer-encoding")) || "7bit",
    body,
    children: children.filter((child) => child !== null),
  };
}

function splitHead(bytes: Buffer): { readonly head: string; readonly body: Buffer } {
  if (bytes.subarray(0, 2).equals(CRLF)) return { head: "", body: bytes.subarray(2) };
  const end = bytes.indexOf(BLANK_LINE);
  if (end === -1) return { head: bytes.toString("utf8"), body: bytes.subarray(bytes.length) };
  return { head: bytes.toString("utf8", 0, end), body: bytes.subarray(end + BLANK_LINE.length) };
}

function parseHeaders(head: string): MimePart["headers"] {
  return head
    .replaceAll(/\r\n[ \t]+/g, " ")
    .split("\r\n")
    .flatMap((line) => {
      const colon = line.indexOf(":");
      return colon < 1 ? [] : [{ name: line.slice(0, colon).trim(), value: line.slice(colon + 1).trim() }];
    });
}

/** The bytes between the delimiter lines of RFC 2046 5.1.1. A missing last delimiter is the end of the body. */
function splitBody(body: Buffer, boundary: string): readonly Buffer[] {
  const delimiter = Buffer.from(`--${boundary}`);
  const slices: Buffer[] = [];
  let start: number | null = null;
  for (let at = body.indexOf(delimiter); at !== -1; at = body.indexOf(delimiter, at + delimiter.length)) {
    const atLineStart = at === 0 || body.subarray(at - 2, at).equals(CRLF);
    const lineEnd = body.indexOf(CRLF, at);
    const rest = body.toString("latin1", at + delimiter.length, lineEnd === -1 ? body.length : lineEnd);
    const isLast = /^--[ \t]*$/.test(rest);
    if (!atLineStart || (!isLast && !/^[ \t]*$/.test(rest))) continue;
    if (start !== null) slices.push(body.subarray(start, Math.max(start, at - 2)));
    start = lineEnd === -1 || isLast ? null : lineEnd + 2;
    if (isLast) return slices;
  }
  if (start !== null) slices.push(body.subarray(start));
  return slices;
}

function token(value: string): string {
  return value.split(";")[0]?.trim().toLowerCase() ?? "";
}

function parameter(value: string, name: string): string | null {
  for (const [, key, quoted, plain] of value.matchAll(/;\s*([^\s=;]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))/g)) {
    if (key?.toLowerCase() === name) return quoted?.replaceAll(/\\(.)/g, "$1") ?? plain ?? null;
  }
  return null;
}
