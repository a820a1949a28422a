/** Bytes of UTF-8 in one encoded word: 45 become 60 of base64, and with its frame stay below 75 (RFC 2047 section 2). */
const WORD_BYTES = 45;

/** A header value in ASCII: as it is, or as encoded words of RFC 2047. */
export function encodeHeaderValue(value: string): string {
  if (isAscii(value)) return value;
  const words: string[] = [];
  let word = "";
  for (const character of value) {
    if (Buffer.byteLength(word + character) > WORD_BYTES) {
      words.push(word);
      word = "";
    }
    word += character;
  }
  words.push(word);
  return words.map((text) => `=?UTF-8?B?${Buffer.from(text).toString("base64")}?=`).join(" ");
}

/** Whether a text has printable ASCII and tabs only. */
export function isAscii(text: string): boolean {
  return /^[\t\x20-\x7e]*$/.test(text);
}
