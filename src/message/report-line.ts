// Longer replies are cut: RFC 5321 4.5.3.1.5 gives a line of a reply 512 octets, and few have more than two.
const maxTextLength = 1_000;

// RFC 5322 2.1.1: lines should have 78 characters and must not have more than 998.
const lineLength = 76;
const maxWordLength = 900;

/**
 * A text of others on one line: white space, line breaks, control characters and broken surrogates become single spaces,
 * so that it can neither end its line nor begin a header field.
 */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}\p{Cs}]+/gu, " ").trim();
}

/** The same, cut where it is long. */
export function excerpt(text: string, maxLength: number = maxTextLength): string {
  const chars = [...oneLine(text)];
  return chars.length > maxLength ? `${chars.slice(0, maxLength).join("")}...` : chars.join("");
}

/** Text in ASCII: any other character as `\x{HEX}`, the notation of RFC 6533 3. */
export function asciiOnly(text: string): string {
  return text.replace(/[^ -~]/gu, escapeChar);
}

/** An address as `type; address` (RFC 3464 2.3.2); one that is not ASCII as a utf-8-addr-xtext of RFC 6533 3. */
export function typedAddress(address: string): string {
  const line = oneLine(address);
  return /^[ -~]*$/.test(line) ? `rfc822; ${line}` : `utf-8; ${line.replace(/[^!-~]|[+=\\]/gu, escapeChar)}`;
}

/** A header field, folded at its spaces. No line is empty or of white space alone, which would end the header. */
export function headerField(name: string, value: string): string {
  return wrap(`${name}: ${oneLine(value)}`, "", " ");
}

/** A paragraph, all lines of it indented, so that no line of others' text looks like one of the report's own. */
export function paragraph(text: string, indent: string): string {
  return wrap(oneLine(text), indent, indent);
}

/** Words that no line can hold are broken. */
function wrap(text: string, firstIndent: string, indent: string): string {
  const [first = "", ...words] = text.split(" ").flatMap(breakWord);
  const lines = [firstIndent + first];
  for (const word of words) {
    const longer = `${lines.at(-1)} ${word}`;
    if (longer.length <= lineLength) lines[lines.length - 1] = longer;
    else lines.push(indent + word);
  }
  return lines.join("\r\n");
}

function breakWord(word: string): string[] {
  return word.match(new RegExp(`[^]{1,${maxWordLength}}`, "gu")) ?? [word];
}

function escapeChar(char: string): string {
  return String.raw`\x{${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(2, "0")}}`;
}
