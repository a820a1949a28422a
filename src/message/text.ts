/**
 * Why a text cannot stand in a header field, or null. A tab is allowed: it is white space of RFC 5322. A longer run of
 * white space could fold into a line of nothing else, which some servers take for the end of the header.
 */
export function headerTextProblem(text: string): string | null {
  if (/[\r\n]/.test(text)) return "has a line break";
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  if (/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text)) return "has a control character";
  if (/[ \t]{51}/.test(text)) return "has more than 50 spaces in a row";
  const longest = Math.max(...text.split(/[ \t]+/).map((word) => Buffer.byteLength(word)));
  return isAscii(text) && longest > maxWordBytes ? `has a word of more than ${maxWordBytes} octets` : null;
}

// A header folds at white space only, and a line holds 998 octets (RFC 5322 2.1.1); the name needs room as well.
const maxWordBytes = 900;

export function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}

/** Every CR, LF or CRLF becomes CRLF: a bare one is no line end in SMTP, and servers disagree on what it is. */
export function normalizeLineEnds(text: string): string {
  return /(?<!\r)\n|\r(?!\n)/.test(text) ? text.replace(/\r\n|\r|\n/g, "\r\n") : text;
}

/** Why a text cannot be the name of a file, or null. 255 is what file systems take. */
export function filenameProblem(filename: string): string | null {
  return headerTextProblem(filename) ?? (filename.length > 255 ? "has more than 255 characters" : null);
}
