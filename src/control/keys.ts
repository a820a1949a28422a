/** Where the log lies: its entries (a list) and what is known of it (a hash). The hash tag keeps all in one slot of a Cluster. */
export const LOG_KEYS = ["mailover:control:{control}:log", "mailover:control:{control}:log:state"] as const;

/** On which its version is told after each change. */
export const CHANNEL = "mailover:control:changed";

/** Who conducts the cutovers. */
export const LEASE_KEY = "mailover:control:{control}:conductor";

/** The figures of one step of a cutover, by the change that began it. */
export function figuresKey(provider: string, version: number): string {
  return `mailover:control:{control}:cutover:${provider}:${version}`;
}
