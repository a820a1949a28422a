import { readFileSync } from "node:fs";

/** PEM text, or what is in the file of this path. Throws, naming the setting only: the value may be a mangled key. */
export function pemOf(setting: string, value: string): string {
  const text = value.includes("-----BEGIN ") ? value : readText(value);
  if (text === null) throw new Error(`${setting} is no PEM text, nor the path of a file that can be read`);
  return text;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
