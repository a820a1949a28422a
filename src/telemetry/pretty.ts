import type { DestinationStream } from "pino";

const MARKS: Record<string, string> = { debug: " ", info: " ", warn: "!", error: "‼", fatal: "‼" };

/** Turns pino's JSON into lines for people: time, mark, sentence. */
export function prettyStream(output: DestinationStream): DestinationStream {
  return {
    write(line) {
      const { time, level, msg } = JSON.parse(line) as { time: string; level: string; msg: string };
      output.write(`${time.slice(11, 19)} ${MARKS[level] ?? " "} ${msg}\n`);
    },
  };
}
