/** Where a fleet keeps what it shares. One hash tag: on a Cluster every step of a fleet stays one script. */
export type FleetKeys = {
  /** Sorted set: a worker and when it was heard last. */
  readonly workers: string;
  /** Hash: a worker and what it says of itself. */
  readonly statuses: string;
  /** What is told there: that something changed, and by which worker. */
  readonly channel: string;
  /** Hash: what the fleet holds of a provider; and hash: a worker and its vote. */
  readonly of: (provider: string) => readonly [state: string, votes: string];
};

/** The keys of the fleet. Another name is another fleet, with nothing in common. */
export function fleetKeys(name = "fleet"): FleetKeys {
  const base = `mailover:fleet:{${name}}`;
  return {
    workers: `${base}:workers`,
    statuses: `${base}:statuses`,
    channel: `${base}:changed`,
    of: (provider) => [`${base}:state:${provider}`, `${base}:votes:${provider}`],
  };
}
