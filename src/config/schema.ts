import * as z from "zod";
import type { RoutingSettings } from "../core/index.ts";
import {
  breakerSchema,
  brownoutSchema,
  classesSchema,
  deliverySchema,
  fleetSchema,
  retrySchema,
  senderSchema,
  throttleSchema,
} from "./schema-delivery.ts";
import { encryptionSchema, ledgerSchema } from "./schema-encryption.ts";
import { redisSchema } from "./schema-redis.ts";
import { routesSchema } from "./schema-routes.ts";
import { webhooksSchema } from "./schema-webhooks.ts";

const DAY_MS = 86_400_000;

/** BullMQ joins queue name and prefix to keys with colons. */
const keyPart = z.string().regex(/^[\w.{}-]+$/, "holds other characters than letters, digits, . _ - { }");

const queueSchema = z
  .strictObject({
    name: keyPart.default("mail").describe("Name of the BullMQ queue that apps push to."),
    prefix: keyPart.default("bull").describe("Prefix of its keys in Redis; `{mail}` for a cluster."),
    keepCompletedMs: z
      .int()
      .min(0)
      .max(30 * DAY_MS)
      .default(3 * DAY_MS)
      .describe("Time a finished job is kept, so that its app can read what became of it."),
    keepCompletedCount: z.int().min(0).max(10_000_000).default(100_000).describe("Finished jobs kept at most."),
    keepFailedMs: z
      .int()
      .min(0)
      .max(365 * DAY_MS)
      .default(30 * DAY_MS)
      .describe("Time a job that bounced, expired or was refused is kept."),
    keepFailedCount: z.int().min(0).max(10_000_000).default(100_000).describe("Such jobs kept at most."),
  })
  .prefault({});

const messageSchema = z
  .strictObject({
    maxRecipients: z.int().min(1).max(10_000).default(500).describe("Recipients a message may have (to, cc and bcc)."),
    maxHeaderCount: z
      .int()
      .min(0)
      .max(1000)
      .default(100)
      .describe("Header fields of its own an app may give a message."),
    maxHeaderBytes: z
      .int()
      .min(1024)
      .max(1024 * 1024)
      .default(65_536)
      .describe("Names and values of those header fields together; of a raw message its whole header."),
    maxAttachments: z.int().min(0).max(1000).default(100).describe("Attachments a message may have."),
    maxSizeBytes: z
      .int()
      .min(1024)
      .max(256 * 1024 * 1024)
      .default(50 * 1024 * 1024)
      .describe("Largest message taken, with its attachments, as MIME."),
    attachmentFolders: z
      .array(z.string().min(1))
      .default([])
      .describe("Folders, with those below them, that an attachment's `path` may lie in. Empty: no file is read."),
    attachmentHosts: z
      .array(z.string().min(1))
      .default([])
      .describe(
        "Servers that an attachment's `href` may name: `host` or `host:port` for https, `http://host:port` for http. " +
          "Empty: nothing is fetched.",
      ),
    attachmentTimeoutMs: z
      .int()
      .min(100)
      .max(600_000)
      .default(30_000)
      .describe("Time one attachment may take to be read or fetched."),
  })
  .prefault({});

const reportsSchema = z
  .strictObject({
    from: z
      .email("is not a mail address")
      .nullable()
      .default(null)
      .describe("Who delivery reports are from: an address that the providers may send as. Without it none are made."),
    host: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe("Name of this gateway in them; the host's own when absent."),
  })
  .prefault({});

const logSchema = z
  .strictObject({
    level: z
      .enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"])
      .default("info")
      .describe("Least severity that is logged."),
    addresses: z.boolean().default(false).describe("Whether mail addresses are logged in full."),
    pretty: z
      .union([z.boolean(), z.literal("auto")], { error: "is not true, false or auto" })
      .default("auto")
      .describe("Lines for people in place of JSON; `auto` where the output is a terminal."),
  })
  .prefault({});

const metricsSchema = z
  .strictObject({
    port: z
      .int("is not a whole number")
      .min(0)
      .max(65_535)
      .nullable()
      .default(null)
      .describe("Port of the page `/metrics` for Prometheus; 0: any that is free. Without it there is none."),
    host: z.string().min(1).default("127.0.0.1").describe("Address that it listens on; in a container `0.0.0.0`."),
  })
  .prefault({});

/** Every setting but those of providers, which their kinds check. */
export const coreSchema = z
  .strictObject({
    redis: redisSchema,
    queue: queueSchema,
    delivery: deliverySchema,
    breaker: breakerSchema,
    fleet: fleetSchema,
    brownout: brownoutSchema,
    throttle: throttleSchema,
    sender: senderSchema,
    retry: retrySchema,
    classes: classesSchema,
    routes: routesSchema,
    message: messageSchema,
    encryption: encryptionSchema,
    ledger: ledgerSchema,
    reports: reportsSchema,
    webhooks: webhooksSchema,
    log: logSchema,
    metrics: metricsSchema,
  })
  .refine(({ redis, queue }) => redis.cluster === undefined || /\{.+\}/.test(queue.prefix), {
    path: ["queue", "prefix"],
    error: 'has no braces: with redis.cluster all keys of a queue must fall into one slot; write "{mail}"',
  });

/** Secrets among the core's settings. */
export const CORE_SECRETS: readonly string[] = [
  "redis.password",
  "redis.sentinels.password",
  "redis.tls.key",
  "encryption.keys",
  "ledger.addressKey",
];

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** One provider: its kind, its routing and whatever its kind's own schema made of the rest. */
export type ProviderConfig = RoutingSettings & { readonly kind: string };

/** The whole configuration: checked, complete, frozen. */
export type Config = DeepReadonly<z.output<typeof coreSchema>> & {
  readonly providers: Readonly<Record<string, ProviderConfig>>;
  /** Names that stand for several providers, and the names of these. No setting: it follows from the providers'. */
  readonly pools: Readonly<Record<string, readonly string[]>>;
};
