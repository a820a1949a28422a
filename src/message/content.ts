import type { Parsed } from "./problem.ts";
import type { ContentEncoding, ContentInput } from "./schema.ts";

/** Decodes content as an app wrote it. What is not in its encoding is refused, not skipped over. */
export function decodeContent(content: ContentInput, encoding: ContentEncoding = "utf8"): Parsed<Buffer> {
  if (typeof content !== "string") return { ok: true, value: Buffer.from(content.data) };
  switch (encoding) {
    case "base64":
      return /^[\w+/\s-]*={0,2}\s*$/.test(content) ? decoded(content, "base64") : { ok: false, rule: "is not base64" };
    case "hex":
      return /^(?:[\da-f]{2})*$/i.test(content) ? decoded(content, "hex") : { ok: false, rule: "is not hex" };
    case "ascii":
      return decoded(content, "latin1");
    default:
      return decoded(content, encoding);
  }
}

function decoded(content: string, encoding: BufferEncoding): Parsed<Buffer> {
  return { ok: true, value: Buffer.from(content, encoding) };
}
