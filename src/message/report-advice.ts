import { statusMatches } from "../core/index.ts";

/** What the sender can do about a failed recipient. */
export type Advice = { readonly statuses: readonly string[]; readonly advice: string };

/** First match wins; patterns are those of `statusMatches`. Meanings are those of RFC 3463 3. */
export const ADVICE: readonly Advice[] = [
  {
    statuses: ["4.4.7"],
    advice: "Send it again later. If that fails too, show this report to the mail administrator.",
  },
  { statuses: ["5.1.*"], advice: "Check the address for typing errors, or ask the recipient for the right one." },
  { statuses: ["4.2.2", "5.2.2"], advice: "The mailbox is full. Reach the recipient another way." },
  {
    statuses: ["5.2.3", "5.3.4"],
    advice: "The message is too large. Make it smaller, for instance with a link in place of a file.",
  },
  { statuses: ["5.2.*"], advice: "The mailbox does not take mail. Reach the recipient another way." },
  { statuses: ["5.4.4"], advice: "No provider can take this message. Show this report to the mail administrator." },
  {
    statuses: ["5.6.*"],
    advice: "The message itself was refused. Change its content, or show this report to the mail administrator.",
  },
  {
    statuses: ["5.7.*"],
    advice: "The message is not let in. Ask the recipient to allow it, or show this report to the mail administrator.",
  },
];

export const GENERAL_ADVICE = "Check the address. If it is right, show this report to the mail administrator.";

export function adviceFor(status: string): string {
  const row = ADVICE.find(({ statuses }) => statuses.some((pattern) => statusMatches(status, pattern)));
  return row?.advice ?? GENERAL_ADVICE;
}
