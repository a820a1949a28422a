import type { LimitSettings, MessageClass } from "../core/index.ts";
import type { NextSlot } from "../gate/limits/read-slot.ts";
import type { Usage } from "../gate/limits/read-usage.ts";
import { slotReason } from "../gate/limits/slot-reason.ts";
import { countInWords, instantInWords, whenInWords } from "./in-words.ts";

/** What is left of a provider's limits: "18 of 30 messages this minute, 2 of 3 connections". Null: it has none. */
export function describeLimitsLeft({ minute, day, month, connections, emptyAt }: Usage, now: number): string | null {
  const aside = [
    ...(minute.pace === 1 ? [] : [`lowered to ${Math.round(minute.pace * 100)} %, since it found us too fast`]),
    ...(minute.booked === 0 ? [] : [`${countInWords(minute.booked)} wait in line`]),
  ].join("; ");
  const dayEnd = day.resetsAt === null ? "in any 24 h" : `until ${instantInWords(day.resetsAt)}`;
  const parts = [
    leftOf(minute, `messages this minute${aside === "" ? "" : ` (${aside})`}`),
    leftOf(day, `recipients ${dayEnd}`),
    leftOf(month, `messages until ${instantInWords(month.resetsAt)}`),
    leftOf(connections, "connections"),
  ].filter((part) => part !== null);
  if (parts.length === 0) return null;
  const end = emptyAt === null || emptyAt <= now ? "" : `; at this rate used up at ${whenInWords(emptyAt, now)}`;
  return `${parts.join(", ")}${end}`;
}

function leftOf(
  { used, limit }: { readonly used: number; readonly limit: number | null },
  what: string,
): string | null {
  return limit === null ? null : `${countInWords(Math.max(0, limit - used))} of ${countInWords(limit)} ${what}`;
}

/** The quota, or the messages of a minute, that nobody can use any of now. `untilAt` null: it comes back bit by bit. */
export function exhaustedLimit({ minute, day, month }: Usage): { reason: string; untilAt: number | null } | null {
  if (day.limit !== null && day.used >= day.limit) {
    return { reason: `${countInWords(day.limit)} recipients a day are used up`, untilAt: day.resetsAt };
  }
  if (month.limit !== null && month.used >= month.limit) {
    return { reason: `${countInWords(month.limit)} messages a month are used up`, untilAt: month.resetsAt };
  }
  if (minute.limit === null || minute.used + minute.booked < minute.limit) return null;
  return { reason: `${countInWords(minute.limit)} messages a minute are used up`, untilAt: null };
}

/** Why a message would have to wait for a limit, and until when (epoch milliseconds); null: nobody can tell. */
export type LimitWait = {
  readonly cause: "recipients" | "month" | "rate";
  readonly reason: string;
  readonly untilAt: number | null;
};

export type LimitAsked = {
  readonly class: MessageClass;
  readonly recipientCount: number;
  readonly settings: LimitSettings;
  /** The slot that it would get; null: there is no limit a minute. */
  readonly slot: NextSlot | null;
  readonly now: number;
};

/**
 * Whether a message would find limits used up, in the order in which workers ask, and without taking anything. Null: it may
 * go. Connections do not count: one that is idle is in use as well, and takes the next message.
 */
export function limitWaitOf({ day, month }: Usage, asked: LimitAsked): LimitWait | null {
  const { recipientCount, settings, slot, now } = asked;
  const because = (cause: LimitWait["cause"], limit: number, open: number): string => {
    const request = { id: "", class: asked.class, recipientCount, bookWithinMs: 0 };
    return slotReason(cause, request, { limit, open, settings });
  };
  const quota = (cause: "recipients" | "month", more: number, { used, limit, resetsAt }: Usage["day"]) => {
    const open = limit === null ? 0 : openTo(limit, asked.class, settings);
    if (limit === null || used + more <= open) return null;
    return { cause, reason: because(cause, limit, open), untilAt: resetsAt };
  };
  const empty = quota("recipients", recipientCount, day) ?? quota("month", 1, month);
  if (empty !== null || slot === null || slot.waitMs === 0) return empty;
  return { cause: "rate", reason: because("rate", slot.limit, slot.open), untilAt: now + slot.waitMs };
}

/** Of a quota: all but what is kept for classes that are more urgent. */
function openTo(limit: number, messageClass: MessageClass, { keepPercent }: LimitSettings): number {
  if (messageClass === "otp") return limit;
  const kept = keepPercent.otp + (messageClass === "bulk" ? keepPercent.transactional : 0);
  return Math.max(1, limit - Math.floor((limit * Math.min(kept, 100)) / 100));
}
