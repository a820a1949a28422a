const encodedWord = /=\?([\w-]+)(?:\*[\w-]*)?\?([bq])\?([^?\s]*)\?=/gi;

/** Decodes the encoded words of a header value (RFC 2047), in any charset that Node knows. What it cannot read stays. */
export function decodeEncodedWords(text: string): string {
  // White space between two encoded words is not part of the text (RFC 2047 6.2).
  const joined = text.replace(/(\?=)\s+(?==\?[\w-]+(?:\*[\w-]*)?\?[bq]\?)/gi, "$1");
  return joined.replace(encodedWord, (word, charset: string, encoding: string, data: string) => {
    const bytes = encoding.toLowerCase() === "b" ? Buffer.from(data, "base64") : decodeQ(data);
    try {
      return new TextDecoder(charset).decode(bytes);
    } catch {
      return word; // a charset nobody knows
    }
  });
}

function decodeQ(data: string): Buffer {
  const text = data.replaceAll("_", " ");
  return Buffer.from(
    text.replace(/=([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  );
}
