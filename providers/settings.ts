import { z } from "zod";

const atMost = (limit: number | null) => z.int().min(1).nullable().default(limit);
const percentKept = (percent: number) => z.int().min(0).max(90).default(percent);

const timeZone = z.string().refine(isTimeZone, "is no IANA time zone, such as Asia/Tokyo");

/** What a provider of some kind may be sent at most, unless its settings say otherwise. Null: no limit. */
type LimitPreset = { readonly [K in "perMinute" | "recipientsPerDay" | "connections"]?: number };

const limits = (preset: LimitPreset) =>
  z
    .strictObject({
      /** Messages in any 60 seconds, over the whole fleet. */
      perMinute: atMost(preset.perMinute ?? null),
      /** Of these, messages one right after the other; the rest follow evenly. Null: all of them. */
      burst: atMost(null),
      /** Recipients in a day. */
      recipientsPerDay: atMost(preset.recipientsPerDay ?? null),
      /** Messages in a month of the calendar. */
      messagesPerMonth: atMost(null),
      /** When the provider begins a new day. Null: its day is any 24 hours. */
      dayResetsAt: z
        .strictObject({
          time: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "is no time such as 00:00"),
          timeZone: timeZone.default("UTC"),
        })
        .nullable()
        .default(null),
      /** Connections at once, over the whole fleet. */
      connections: atMost(preset.connections ?? null),
      /** Percent of each limit kept for a class and those more urgent. */
      keepPercent: z.strictObject({ otp: percentKept(10), transactional: percentKept(30) }).prefault({}),
    })
    .prefault({});

/** Settings every kind of provider has, to be spread into its schema. */
export const routing = (preset: LimitPreset = {}) => ({
  /** Lower is tried first, as with MX and SRV records. */
  priority: z.int().min(0).default(100),
  /** Share of the mail among providers of equal priority. */
  weight: z.int().min(1).default(1),
  limits: limits(preset),
});

const ADDRESS = /^[^\s@<>"]+@[^\s@<>"]+$/;
const DOMAIN = /^[^\s@<>"]+$/;

/** One mail address, without display name and angle brackets. */
export const address = z.string().regex(ADDRESS, "is not a mail address");

/**
 * From addresses this provider must use in place of the app's own: an address, a domain or "*" for all others, to an
 * address. The app's From becomes the Reply-To where there is none.
 */
export const fromMapping = z
  .record(z.string().regex(DOMAIN, "is not a domain").or(address), address)
  .default({})
  .transform((mapping) =>
    Object.fromEntries(Object.entries(mapping).map(([from, to]) => [from.toLowerCase(), to] as const)),
  );

/** A time limit; ten minutes is the longest a server may ask for (RFC 5321 4.5.3.2.6). */
const limitMs = z.int().min(1).max(3_600_000);

/** Time limits of one attempt over SMTP, in milliseconds. Waiting for a free connection is in none of them. */
export const smtpTimeouts = z
  .strictObject({
    /** Resolving the host's name. */
    dnsMs: limitMs.default(5_000),
    /** Connecting, over all its addresses. */
    connectMs: limitMs.default(5_000),
    /** A TLS handshake, at once or after STARTTLS. */
    tlsMs: limitMs.default(5_000),
    /** The server's greeting. */
    greetingMs: limitMs.default(10_000),
    /** The answer to each command. */
    commandMs: limitMs.default(15_000),
    /** The content going out without any progress. */
    contentMs: limitMs.default(30_000),
    /** The answer to the final dot. Long, since what ends here is uncertain. */
    contentReplyMs: limitMs.default(60_000),
    /** The whole attempt, from the moment it has a connection of the pool to use or to open. */
    totalMs: limitMs.default(120_000),
  })
  .prefault({});

export type SmtpTimeouts = z.output<typeof smtpTimeouts>;

function isTimeZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
