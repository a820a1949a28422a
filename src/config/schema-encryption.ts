import * as z from "zod";

/** 32 bytes in base64, as `openssl rand -base64 32` writes them. */
const key = z
  .string()
  .regex(
    /^[A-Za-z0-9+/]{43}=$/,
    "is not 32 bytes in base64, of 44 characters; make a key with: openssl rand -base64 32",
  );

/** Stands beside each sealed message, and is named in errors. */
const keyId = z
  .string()
  .regex(
    /^[a-z0-9]+(?:[.-][a-z0-9]+)*$/,
    "is no id of a key: use lower-case letters and digits, and . or - between them",
  )
  .max(64, "is no id of a key: it has more than 64 characters");

/** What of a message is sealed while it lies in Redis, and with which keys. */
export const encryptionSchema = z
  .strictObject({
    primary: keyId
      .exactOptional()
      .describe("Id of the key that seals. Without one nothing is sealed, and what was sealed is still opened."),
    keys: z
      .record(keyId, key)
      .exactOptional()
      .describe('Keys by id, each 32 bytes in base64: of a variable or a file as JSON, `{ "2026-11": "…" }`.'),
    addresses: z
      .boolean()
      .default(false)
      .describe("Whether `from`, `to`, `cc`, `bcc`, `replyTo` and `envelope` of a job are sealed as well."),
  })
  .refine(({ primary, keys }) => primary === undefined || Object.hasOwn(keys ?? {}, primary), {
    path: ["primary"],
    error: "names none of encryption.keys",
  })
  .refine(({ primary, addresses }) => primary !== undefined || !addresses, {
    path: ["addresses"],
    error: "needs a key that seals: set encryption.primary and encryption.keys",
  })
  .prefault({});

const HOUR_MS = 3_600_000;

/** The record of each message, which outlives its content: how long, and how it names people. */
export const ledgerSchema = z
  .strictObject({
    keepMs: z
      .int()
      .min(60_000)
      .max(365 * 24 * HOUR_MS)
      .default(72 * HOUR_MS)
      .describe("Time the record of a message is kept after its end."),
    idempotencyMs: z
      .int()
      .min(60_000)
      .max(365 * 24 * HOUR_MS)
      .default(168 * HOUR_MS)
      .describe("Time, from its end, within which a message with the same `idempotencyKey` is the same message."),
    addresses: z
      .enum(["plain", "hashed"])
      .default("plain")
      .describe(
        "Whether records hold addresses, or a keyed hash of the part before the `@`, which can be searched for.",
      ),
    addressKey: key
      .exactOptional()
      .describe("Key of that hash, 32 bytes in base64. With another key nobody finds the records made before."),
  })
  .refine(({ addresses, addressKey }) => addresses === "plain" || addressKey !== undefined, {
    path: ["addresses"],
    error: "needs ledger.addressKey: make one with openssl rand -base64 32",
  })
  .prefault({});
