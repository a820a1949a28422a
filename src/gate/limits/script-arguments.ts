import type { LimitSettings } from "../../core/index.ts";
import { dayAt, monthAt } from "./provider-day.ts";
import type { Period } from "./provider-day.ts";

/** How far the pace falls when a provider says that we are too fast, and how it recovers. Shares of the limit, 0 to 1. */
export type PaceSettings = {
  readonly factor: number;
  readonly least: number;
  /** Added with each minute that goes by without such a word. */
  readonly recoverPerMinute: number;
  /** It is lowered once in this time, since attempts that ran together are told the same. */
  readonly onceInMs: number;
};

export const DEFAULT_PACE: PaceSettings = { factor: 0.5, least: 0.1, recoverPerMinute: 0.05, onceInMs: 5_000 };

/** A connection that its worker does not renew is the fleet's again after this long. */
export const CONNECTION_LEASE_MS = 15_000;

/** Days for which counts are kept. */
const KEPT_DAYS = 40;
const DAY_MS = 86_400_000;

export type Argument = string | number;

/** What every script gets before its own arguments. Makes the calendar's part once for each day. */
export class ScriptFrame {
  readonly #settings: LimitSettings;
  readonly #fixed: readonly Argument[];
  #calendar: readonly Argument[] = [];
  #calendarEndsAt = Number.NEGATIVE_INFINITY;
  #calendarStartsAt = Number.POSITIVE_INFINITY;

  /** `attemptMs`: how long an attempt may take at most. */
  constructor(settings: LimitSettings, pace: PaceSettings, attemptMs: number) {
    this.#settings = settings;
    const { perMinute, keepPercent, burst, recipientsPerDay, messagesPerMonth, dayResetsAt, connections } = settings;
    this.#fixed = [
      perMinute ?? "",
      keepPercent.otp,
      keepPercent.transactional,
      burst ?? "",
      recipientsPerDay ?? "",
      messagesPerMonth ?? "",
      dayResetsAt === null ? "1" : "",
      connections ?? "",
      attemptMs,
      CONNECTION_LEASE_MS,
      pace.recoverPerMinute,
    ];
  }

  /** `now`: about what Redis's clock shows. `given`: what scripts are to take for it; null: what it does show. */
  at(now: number, given: number | null): Argument[] {
    if (now < this.#calendarStartsAt || now >= this.#calendarEndsAt) this.#turnPage(now);
    return [given ?? "", ...this.#fixed, ...this.#calendar];
  }

  #turnPage(now: number): void {
    const { dayResetsAt } = this.#settings;
    const day = dayAt(now, dayResetsAt);
    const month = monthAt(now, dayResetsAt);
    this.#calendar = [
      ...around(day, (at) => dayAt(at, dayResetsAt)),
      ...around(month, (at) => monthAt(at, dayResetsAt)),
      dayAt(now - KEPT_DAYS * DAY_MS, dayResetsAt).label,
    ];
    this.#calendarStartsAt = Math.max(day.startAt, month.startAt);
    this.#calendarEndsAt = Math.min(day.endAt, month.endAt);
  }
}

/** The period with its neighbours, as label and end of each: a worker's clock may be a little wrong. */
function around(period: Period, periodAt: (at: number) => Period): Argument[] {
  const before = periodAt(period.startAt - 1);
  const after = periodAt(period.endAt);
  return [before, period, after].flatMap(({ label, endAt }) => [label, endAt]);
}
