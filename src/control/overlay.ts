/** Who changed something by hand, such as `ann@desk`, and why. */
export type Authorship = { readonly by: string; readonly reason: string };

/** A provider that operators keep mail from. `untilAt` in epoch milliseconds; null: until somebody resumes it. */
export type Drain = Authorship & { readonly untilAt: number | null };

/** What operators changed about one provider, over its configuration. */
export type Standing = {
  readonly drain: Drain | null;
  /** Whether it goes before all others, whatever the priorities. */
  readonly preferred: boolean;
  /** In place of its configured weight, or null. */
  readonly weight: number | null;
};

/** A share of the mail that goes to one provider first. */
export type Shift = {
  /** A provider, or a pool: any of its members. */
  readonly to: string;
  /** Of the mail it is about, in percent. */
  readonly percent: number;
  /** What mail it is about: a condition as those of routes have it, all fields optional. */
  readonly when: {
    readonly class?: string | undefined;
    readonly senderDomain?: string | undefined;
    readonly recipientDomain?: string | undefined;
    readonly tenant?: string | undefined;
    readonly tag?: string | undefined;
  };
};

/** What is changed at run time, as all workers see it within a second. */
export type Overlay = {
  /** Counts up with each change; 0: none was ever made. */
  readonly version: number;
  readonly standings: Readonly<Record<string, Standing>>;
  readonly shifts: readonly Shift[];
};

export const NOTHING_CHANGED: Overlay = { version: 0, standings: {}, shifts: [] };

/** A provider that nobody changed anything about. */
export const AS_CONFIGURED: Standing = { drain: null, preferred: false, weight: null };
