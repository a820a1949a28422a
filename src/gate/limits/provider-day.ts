/** A day or month as a provider counts it. `label` names it, such as `2025-11-24` or `2025-11`; ends before `endAt`. */
export type Period = { readonly label: string; readonly startAt: number; readonly endAt: number };

/** When a provider begins its days: `HH:MM` in an IANA time zone. */
export type DayReset = { readonly time: string; readonly timeZone: string };

const DAY_MS = 86_400_000;
const UTC: DayReset = { time: "00:00", timeZone: "UTC" };

/** The provider's day that holds an instant, named by the date on which it began. Null: days of UTC. */
export function dayAt(now: number, reset: DayReset | null): Period {
  const { time, timeZone } = reset ?? UTC;
  const timeMs = Number(time.slice(0, 2)) * 3_600_000 + Number(time.slice(3)) * 60_000;
  const startOf = (date: number): number => instantOf(date + timeMs, timeZone);
  const today = Math.floor(localTime(now, timeZone) / DAY_MS) * DAY_MS;
  // Where the clocks are put back at midnight, today's date may begin a second time, after it began already.
  const date = [today + DAY_MS, today, today - DAY_MS].find((candidate) => startOf(candidate) <= now) ?? today - DAY_MS;
  return { label: isoDate(date), startAt: startOf(date), endAt: startOf(date + DAY_MS) };
}

/** The month of the calendar that holds an instant, in the time zone of the reset. Null: in UTC. */
export function monthAt(now: number, reset: DayReset | null): Period {
  const { timeZone } = reset ?? UTC;
  const local = new Date(localTime(now, timeZone));
  const startOf = (offset: number): number => Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + offset);
  const offset = [1, 0, -1].find((candidate) => instantOf(startOf(candidate), timeZone) <= now) ?? -1;
  return {
    label: isoDate(startOf(offset)).slice(0, 7),
    startAt: instantOf(startOf(offset), timeZone),
    endAt: instantOf(startOf(offset + 1), timeZone),
  };
}

/** What a clock on the wall shows at an instant, as if it were UTC. */
function localTime(at: number, timeZone: string): number {
  const fields: Record<string, number> = {};
  for (const { type, value } of formatter(timeZone).formatToParts(at)) fields[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields;
  return Date.UTC(year, month - 1, day, hour, minute, second) + (((at % 1_000) + 1_000) % 1_000);
}

/** The first instant at which the clock shows `local`; where it is put forward past that, as much later as it jumps. */
function instantOf(local: number, timeZone: string): number {
  const offsetAt = (at: number): number => localTime(at, timeZone) - at;
  const before = local - offsetAt(local - DAY_MS);
  const after = local - offsetAt(local + DAY_MS);
  const shown = [before, after].filter((at) => localTime(at, timeZone) === local);
  return shown.length === 0 ? before : Math.min(...shown);
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Kept, since making one costs more than using it a hundred times. */
function formatter(timeZone: string): Intl.DateTimeFormat {
  const kept = formatters.get(timeZone);
  if (kept !== undefined) return kept;
  const numeric = { year: "numeric", month: "numeric", day: "numeric" } as const;
  const time = { hour: "numeric", minute: "numeric", second: "numeric", hourCycle: "h23" } as const;
  const made = new Intl.DateTimeFormat("en-US", { calendar: "gregory", timeZone, ...numeric, ...time });
  formatters.set(timeZone, made);
  return made;
}

function isoDate(date: number): string {
  return new Date(date).toISOString().slice(0, 10);
}
