import type { DestinationStream } from "pino";

const MARKS: Record<string, string> = { debug: " ", info: " ", warn: "!", error: "‼", fatal: "‼" };

/** Replies hold line ends, and a server may write an escape sequence into one to make up a line of its own. */
// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]+/g;

/** Turns pino's JSON into lines for people: time, mark, sentence. */
export function prettyStream(output: DestinationStream): DestinationStream {
  return {
    write(line) {
      const { time, level, msg } = JSON.parse(line) as { time: string; level: string; msg: string };
      output.write(`${time.slice(11, 19)} ${MARKS[level] ?? " "} ${msg.replaceAll(CONTROLS, " ")}\n`);
    },
  };
}
