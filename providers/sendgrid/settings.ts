import { z } from "zod";
import { fromMapping, routing } from "../settings.ts";

/** The hosts of the two regions. An EU key belongs to an EU subuser and works at the EU host only. */
const REGION_URLS = { global: "https://api.sendgrid.com", eu: "https://api.eu.sendgrid.com" } as const;

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

const baseUrl = z.url({ protocol: /^https?$/, error: "must be an http or https address" }).refine(
  (text) => {
    const { protocol, hostname } = new URL(text);
    return protocol === "https:" || LOOPBACK.has(hostname);
  },
  { error: "must be https, since the API key goes there; http is for loopback only" },
);

const shape = {
  kind: z.literal("sendgrid"),
  ...routing(),
  from: fromMapping,
  /** An API key with the permission Mail Send. A secret. */
  apiKey: z.string().regex(/^SG\.\S+$/, { error: "must be a SendGrid API key: it begins with SG." }),
  /** `eu` keeps the mail's data in the EU. */
  region: z.enum(["global", "eu"]).default("global"),
  /** In place of the region's host: a reverse proxy, or a stand-in for tests. */
  baseUrl: baseUrl.optional(),
  /** A certificate authority to trust besides the usual ones, in PEM, for a proxy on the way that has its own. */
  ca: z.string().min(1).optional(),
  /** SendGrid checks each message and sends none. */
  sandbox: z.boolean().default(false),
  timeouts: z
    .strictObject({
      /** From the start of a connection to the end of its TLS handshake. */
      connectMs: z.number().int().positive().default(5_000),
      /** From the last byte of the request to the answer. */
      responseMs: z.number().int().positive().default(30_000),
      /** The whole attempt, with the wait for a free connection and the upload. */
      totalMs: z.number().int().positive().default(60_000),
    })
    .prefault({}),
  /** Requests, and so connections, at once. */
  connections: z.number().int().min(1).max(500).default(20),
  /**
   * Largest message, in bytes of MIME. SendGrid takes less than 30 MB with everything encoded. JSON holds attachments in
   * base64 without line ends (4/3, where MIME has 1.37) but escapes text, and SendGrid adds headers of its own: the rest
   * is room for those.
   */
  maxMessageBytes: z.number().int().min(1).max(30_000_000).default(28_000_000),
  /** To, Cc and Bcc together: the API's own limit. */
  maxRecipients: z.number().int().min(1).max(1_000).default(1_000),
  /** Whether a message's tags become SendGrid's categories. */
  categoriesFromTags: z.boolean().default(true),
  /** Custom arguments for every message, beside `mailover_id` and `message_id`; they come back in event webhooks. */
  customArgs: z.record(z.string(), z.string()).default({}),
  /**
   * Whether a message whose answer was lost is looked for in the Email Activity Feed. It is an add-on of the account, and
   * the key needs the permission Email Activity.
   */
  emailActivity: z.boolean().default(false),
  /**
   * How long after an attempt a message that is not in the feed was not accepted. Missing: that is never concluded, since
   * SendGrid promises no time within which the feed has everything.
   */
  absentAfterMs: z.number().int().min(1_800_000).optional(),
  /** `off` keeps SendGrid from rewriting links and adding pixels; `account` leaves it to the account's settings. */
  tracking: z.enum(["account", "off"]).default("account"),
};

/** Settings of a provider of kind `sendgrid`. */
export const settings = z
  .strictObject(shape)
  .refine(({ emailActivity, absentAfterMs }) => emailActivity || absentAfterMs === undefined, {
    path: ["absentAfterMs"],
    error: "means nothing without emailActivity: true",
  });

export type SendGridSettings = z.infer<typeof settings>;

/** Where the requests go. */
export function apiUrl({ region, baseUrl }: Pick<SendGridSettings, "region" | "baseUrl">): string {
  return baseUrl ?? REGION_URLS[region];
}
