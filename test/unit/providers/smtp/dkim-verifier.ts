import { createHash, createVerify } from "node:crypto";

/**
 * Checks the first DKIM-Signature of a message by the public key (RFC 6376, rsa-sha256 and relaxed/relaxed only). Written
 * from the RFC, apart from the signer, so that the two can disagree.
 */
export function dkimHolds(mime: Buffer, publicKeyPem: string): boolean {
  const end = mime.indexOf("\r\n\r\n");
  const fields = mime.toString("latin1", 0, end).split(/\r\n(?![ \t])/);
  const signature = fields.find((field) => /^dkim-signature:/i.test(field));
  if (signature === undefined) return false;
  const tags = new Map(
    signature
      .slice(signature.indexOf(":") + 1)
      .split(";")
      .map((tag) => [tag.slice(0, tag.indexOf("=")).trim(), tag.slice(tag.indexOf("=") + 1).replaceAll(/\s/g, "")]),
  );
  const body = relaxedBody(mime.toString("latin1", end + 4));
  if (createHash("sha256").update(body, "latin1").digest("base64") !== tags.get("bh")) return false;
  const remaining = [...fields];
  const signed = (tags.get("h") ?? "").split(":").flatMap((name) => {
    const index = remaining.findLastIndex((field) => field.toLowerCase().startsWith(`${name.toLowerCase()}:`));
    return index === -1 ? [] : remaining.splice(index, 1).map(relaxedField);
  });
  const bare = relaxedField(signature.replace(/([;\s]b=)[\s\S]*?(?=;|$)/, "$1"));
  const verifier = createVerify("RSA-SHA256").update([...signed, bare].join("\r\n"), "latin1");
  return verifier.verify(publicKeyPem, tags.get("b") ?? "", "base64");
}

function relaxedField(field: string): string {
  const colon = field.indexOf(":");
  const value = field
    .slice(colon + 1)
    .replaceAll("\r\n", "")
    .replaceAll(/[ \t]+/g, " ")
    .trim();
  return `${field.slice(0, colon).trim().toLowerCase()}:${value}`;
}

function relaxedBody(body: string): string {
  const lines = body.split("\r\n").map((line) => line.replaceAll(/[ \t]+/g, " ").trimEnd());
  while (lines.at(-1) === "") lines.pop();
  return lines.map((line) => `${line}\r\n`).join("");
}
