import { z } from "zod";

/** Settings every kind of provider has, to be spread into its schema. */
export const routing = {
  /** Lower is tried first, as with MX and SRV records. */
  priority: z.int().min(0).default(100),
  /** Share of the mail among providers of equal priority. */
  weight: z.int().min(1).default(1),
};

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
