/**
 * How far an attempt had come, in order. `queue` is waiting for a connection of our own; `content` is from the server's
 * 354 until the final dot is written; `reply` is waiting for the answer to it. `http` is a request that has been
 * written at least in part. `token` is the request for an OAuth access token.
 */
export const STAGES = [
  "queue",
  "token",
  "dns",
  "connect",
  "tls",
  "greeting",
  "ehlo",
  "starttls",
  "auth",
  "mail",
  "rcpt",
  "data",
  "content",
  "reply",
  "http",
] as const;

export type Stage = (typeof STAGES)[number];

/** Whether the provider may have taken the message when an attempt broke off in this stage. */
export function contentMayBeOut(stage: Stage): boolean {
  return stage === "reply" || stage === "http";
}

/** Whether the content has begun to go out, so that the attempt is no longer abandoned for being slow. */
export function contentHasBegun(stage: Stage): boolean {
  return stage === "content" || contentMayBeOut(stage);
}
