/** What may be sent through a provider at most, over the whole fleet. Null: no limit. */
export type LimitSettings = {
  /** Messages in any 60 seconds. */
  readonly perMinute: number | null;
  /** Of these, messages one right after the other; the rest follow evenly. Null: all of them. */
  readonly burst: number | null;
  /** Recipients in a day: in any 24 hours, or since `dayResetsAt`. */
  readonly recipientsPerDay: number | null;
  /** Messages in a month of the calendar, such as a plan's. */
  readonly messagesPerMonth: number | null;
  /** When the provider begins a new day: `HH:MM`, and an IANA time zone. Null: its day is any 24 hours. */
  readonly dayResetsAt: { readonly time: string; readonly timeZone: string } | null;
  /** Connections at once. */
  readonly connections: number | null;
  /**
   * Percent of each limit kept for a class and those more urgent: `transactional` may not use what is kept for `otp`,
   * `bulk` what is kept for either.
   */
  readonly keepPercent: { readonly otp: number; readonly transactional: number };
};
