/** State and log of a message. The hash tag has a Cluster keep them in one slot. */
export function keysOf(id: string): [state: string, log: string] {
  return [`mailover:ledger:{${id}}`, `mailover:ledger:{${id}}:log`];
}

/** What the keys of all logs look like, for a scan. */
export const LOG_PATTERN = keysOf("*")[1];

/** The message that a key is of. */
export function idIn(key: string): string {
  return key.slice(key.indexOf("{") + 1, key.indexOf("}"));
}
