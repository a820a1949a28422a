import type { LimitSettings } from "../../core/index.ts";
import type { RedisClient } from "../../redis/connection.ts";
import { keysOf } from "./keys.ts";
import { dayAt, monthAt } from "./provider-day.ts";
import { DEFAULT_PACE, ScriptFrame } from "./script-arguments.ts";
import { READ } from "./scripts.ts";
import { emptyBeforeReset, emptyWithinDay, presentRate } from "./usage-forecast.ts";
import type { Quarters } from "./usage-forecast.ts";

/** What is used of one provider's limits, over the fleet. Limits that are null do not hold. Instants are epoch milliseconds. */
export type Usage = {
  /**
   * Attempts that run, or ended as sent, in the last minute; messages that wait in line; the limit as it holds now;
   * the share of the full limit that this is, 0 to 1.
   */
  readonly minute: {
    readonly used: number;
    readonly booked: number;
    readonly limit: number | null;
    readonly pace: number;
  };
  /** Recipients. `resetsAt` is null where the day is any 24 hours. */
  readonly day: { readonly used: number; readonly limit: number | null; readonly resetsAt: number | null };
  /** Messages. */
  readonly month: { readonly used: number; readonly limit: number | null; readonly resetsAt: number };
  readonly connections: { readonly used: number; readonly limit: number | null };
  /** When the day's or the month's quota is used up at the present rate, whichever is first. Null: not before it is renewed. */
  readonly emptyAt: number | null;
  /** The same for each. */
  readonly dayEmptyAt: number | null;
  readonly monthEmptyAt: number | null;
};

type Scripted = RedisClient & { limitRead(...args: (string | number)[]): Promise<(string | number)[]> };

/** Reads what is used, with one command. Rejects where Redis does not answer. `storeNow`: for tests, what Redis's clock shows. */
export async function readUsage(
  redis: RedisClient,
  provider: string,
  settings: LimitSettings,
  now: number,
  storeNow: number | null = null,
): Promise<Usage> {
  const keys = keysOf(provider);
  redis.defineCommand("limitRead", { numberOfKeys: keys.length, lua: READ });
  const frame = new ScriptFrame(settings, DEFAULT_PACE, 0);
  const answer = await (redis as Scripted).limitRead(...keys, ...frame.at(now, storeNow));
  const [readAt = 0, , pacePercent = 100, used = 0, booked = 0, ofDay = 0, , ofMonth = 0, connections = 0] =
    answer.map(Number);
  const limit = answer[1] === "" ? null : Number(answer[1]);
  const { quarters, total } = parseQuarters(answer.slice(9).map(String), readAt);
  const isSliding = settings.dayResetsAt === null;
  const day = {
    used: isSliding ? total : ofDay,
    limit: settings.recipientsPerDay,
    resetsAt: isSliding ? null : dayAt(now, settings.dayResetsAt).endAt,
  };
  const month = {
    used: ofMonth,
    limit: settings.messagesPerMonth,
    resetsAt: monthAt(now, settings.dayResetsAt).endAt,
  };
  const dayEmptyAt = dayEnd(day, quarters, now);
  const monthEmptyAt = monthEnd(month, quarters, now);
  const empty = [dayEmptyAt, monthEmptyAt].filter((at) => at !== null);
  return {
    minute: { used, booked, limit, pace: pacePercent / 100 },
    day,
    month,
    connections: { used: connections, limit: settings.connections },
    emptyAt: empty.length === 0 ? null : Math.min(...empty),
    dayEmptyAt,
    monthEmptyAt,
  };
}

function dayEnd({ used, limit, resetsAt }: Usage["day"], quarters: Quarters, now: number): number | null {
  if (limit === null) return null;
  const quota = { now, used, limit, rate: presentRate(quarters, "recipients", now) };
  return resetsAt === null ? emptyWithinDay({ ...quota, quarters }) : emptyBeforeReset({ ...quota, resetsAt });
}

function monthEnd({ used, limit, resetsAt }: Usage["month"], quarters: Quarters, now: number): number | null {
  if (limit === null) return null;
  return emptyBeforeReset({ now, used, limit, rate: presentRate(quarters, "messages", now), resetsAt });
}

/** From names and values as the script keeps them, without those that are a day old and not yet taken out. */
function parseQuarters(fields: readonly string[], now: number): { quarters: Quarters; total: number } {
  const oldest = Math.floor(now / 900_000) - 96;
  const quarters = new Map<number, { messages: number; recipients: number }>();
  let total = 0;
  for (let i = 0; i < fields.length; i += 2) {
    const [, kind, number] = /^([mr])(\d+)$/.exec(fields[i] ?? "") ?? [];
    const [quarter, count] = [Number(number), Number(fields[i + 1])];
    if (kind === undefined || quarter < oldest) continue;
    const known = quarters.get(quarter) ?? { messages: 0, recipients: 0 };
    quarters.set(quarter, kind === "m" ? { ...known, messages: count } : { ...known, recipients: count });
    if (kind === "r") total += count;
  }
  return { quarters, total };
}
