import type { LogLine, Program } from "../installation.ts";

/** A line of a worker's log, and when it was written, epoch milliseconds. */
export type Logged = LogLine & { readonly at: number };

/** The lines of one event, oldest first. Only they are parsed: a worker under load writes thousands of others. */
export function linesOf({ stdout }: Program, event: string, matches: Readonly<Record<string, unknown>> = {}): Logged[] {
  const mark = `"event":"${event}"`;
  const lines: Logged[] = [];
  let found = stdout.indexOf(mark);
  while (found >= 0) {
    const end = stdout.indexOf("\n", found);
    if (end < 0) break;
    const line = JSON.parse(stdout.slice(stdout.lastIndexOf("\n", found) + 1, end)) as LogLine;
    if (Object.entries(matches).every(([field, value]) => line[field] === value)) {
      lines.push({ ...line, at: Date.parse(String(line["time"])) });
    }
    found = stdout.indexOf(mark, end);
  }
  return lines;
}

/** The first line of one event since an instant, or undefined. */
export function firstSince(
  worker: Program,
  since: number,
  event: string,
  matches: Readonly<Record<string, unknown>> = {},
): Logged | undefined {
  return linesOf(worker, event, matches).find(({ at }) => at >= since);
}
