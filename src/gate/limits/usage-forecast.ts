/** What was sent in the quarter hours of the last day: by their number since 1970. */
export type Quarters = ReadonlyMap<number, { readonly messages: number; readonly recipients: number }>;

export const QUARTER_MS = 900_000;
const DAY_MS = 86_400_000;

/** Messages or recipients a millisecond, in the last hour. */
export function presentRate(quarters: Quarters, field: "messages" | "recipients", now: number): number {
  const current = Math.floor(now / QUARTER_MS);
  // Of the quarter in which the hour began, as much as lies in it.
  const rest = 1 - (now - current * QUARTER_MS) / QUARTER_MS;
  let sum = 0;
  for (const [quarter, sent] of quarters) {
    if (quarter > current - 4) sum += sent[field];
    if (quarter === current - 4) sum += sent[field] * rest;
  }
  return sum / (4 * QUARTER_MS);
}

/** When a quota is used up at this rate. Null: not before it is renewed. */
export function emptyBeforeReset(quota: {
  readonly now: number;
  readonly used: number;
  readonly limit: number;
  readonly rate: number;
  readonly resetsAt: number;
}): number | null {
  const { now, used, limit, rate, resetsAt } = quota;
  const emptyAt = used >= limit ? now : now + (limit - used) / rate;
  return emptyAt < resetsAt ? Math.round(emptyAt) : null;
}

/** The same for the recipients of any 24 hours, of which some are renewed with every quarter. Null: not within a day. */
export function emptyWithinDay(quota: {
  readonly now: number;
  readonly used: number;
  readonly limit: number;
  readonly rate: number;
  readonly quarters: Quarters;
}): number | null {
  const { now, used, limit, rate, quarters } = quota;
  if (used >= limit) return now;
  let renewed = 0;
  for (const [quarter, { recipients }] of [...quarters].toSorted(([a], [b]) => a - b)) {
    const leavesAt = (quarter + 1) * QUARTER_MS + DAY_MS;
    const emptyAt = now + (limit - used + renewed) / rate;
    if (emptyAt <= Math.min(leavesAt, now + DAY_MS)) return Math.round(emptyAt);
    renewed += recipients;
  }
  return null;
}
