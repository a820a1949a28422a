import { readFileSync } from "node:fs";

/** PEM text as it is; anything else is the path of a file that holds some. Throws where the file cannot be read. */
export function pemText(textOrPath: string): string {
  if (textOrPath.includes("-----BEGIN ")) return textOrPath;
  const text = readFileSync(textOrPath, "utf8");
  if (!text.includes("-----BEGIN ")) throw new Error(`${textOrPath} holds no PEM`);
  return text;
}
