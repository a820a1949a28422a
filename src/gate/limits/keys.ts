/**
 * All keys of a provider's limits, in the order in which every script gets them. They share a hash tag, so that a Cluster
 * keeps them in one slot. Lanes are numbered from the most urgent: 1 otp, 2 transactional, 3 open to all.
 */
export function keysOf(provider: string): string[] {
  const key = (name: string): string => `mailover:limit:{${provider}}:${name}`;
  const perLane = (name: string): string[] => [1, 2, 3].map((lane) => key(`${name}:${lane}`));
  return [
    key("state"),
    key("counts"),
    key("quarters"),
    key("connections"),
    key("asking"),
    key("slots"),
    key("lapsed"),
    ...perLane("use"),
    ...perLane("order"),
    ...perLane("due"),
    ...perLane("started"),
  ];
}

/** Set while a warning of this window's quota was given lately. */
export function warnedKey(provider: string, window: "day" | "month"): string {
  return `mailover:limit:{${provider}}:warned:${window}`;
}
