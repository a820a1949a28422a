import { BlockList, isIP } from "node:net";
import * as z from "zod";

/** What becomes of a message, as endpoints are told of it. */
const WEBHOOK_EVENTS = [
  "message.relayed",
  "message.deferred",
  "message.held",
  "message.bounced",
  "message.expired",
  "message.cancelled",
] as const;

/** Networks that plain http may go to: this machine, and private ones (RFC 1918, RFC 4193). */
const NEAR = new BlockList();
for (const [network, bits] of [
  ["127.0.0.0", 8],
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
] as const) {
  NEAR.addSubnet(network, bits, "ipv4");
}
NEAR.addAddress("::1", "ipv6");
NEAR.addSubnet("fc00::", 7, "ipv6");

/** Names that no public server can have: without a dot, as containers have them, or below these (RFC 6761, 6762, 9476). */
const NEAR_NAME = /^[^.]+$|\.(?:localhost|local|internal)$/;

function isNear(hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, "");
  const family = isIP(address);
  return family === 0 ? NEAR_NAME.test(address) : NEAR.check(address, family === 4 ? "ipv4" : "ipv6");
}

function isReachedSafely(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === "https:" || (protocol === "http:" && isNear(hostname));
}

function hasNoLogin(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const { username, password } = new URL(text);
  return username === "" && password === "";
}

function keysOf(secret: string): readonly string[] {
  return secret.trim().split(/[\s,]+/);
}

/** `whsec_` and 24 to 64 bytes in base64, as the Standard Webhooks specification has it. */
function isKey(key: string): boolean {
  const match = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(key);
  const base64 = match?.[1] ?? "";
  const { length } = Buffer.from(base64, "base64");
  return base64.length % 4 === 0 && length >= 24 && length <= 64;
}

/** One endpoint of an app's, told by signed requests of what became of messages. */
export const webhookSchema = z.strictObject({
  url: z
    .string()
    .refine(
      isReachedSafely,
      "is neither https:// nor http:// to this machine or a private network (localhost, a name without a dot or " +
        "below .local, .internal or .localhost, or a private address)",
    )
    .refine(hasNoLogin, "holds a user or a password: requests are signed, and need none")
    .describe("Where events are posted to: https, or http to this machine or a private network."),
  secret: z
    .string()
    .refine((secret) => keysOf(secret).every(isKey), "is not whsec_ and the base64 of 24 to 64 bytes")
    .transform(keysOf)
    .describe(
      "Key that requests are signed with: `whsec_` and the base64 of 24 to 64 bytes. Several, with spaces or line ends " +
        "between them, all sign, so that a receiver can change from one to the next.",
    ),
  events: z
    .array(z.enum(WEBHOOK_EVENTS))
    .min(1)
    .default([...WEBHOOK_EVENTS])
    .describe("The events it is told of."),
  timeoutMs: z.int().min(100).max(60_000).default(15_000).describe("Time it may take to answer one request."),
});

/** Endpoint names are a part of keys in Redis and of variables' names, as providers' are. */
const endpointName = z
  .string()
  .max(40)
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, "is no name for an endpoint: use lower-case letters, digits and hyphens");

export const webhooksSchema = z
  .record(endpointName, webhookSchema)
  .prefault({})
  .describe("Endpoints that are told of what becomes of messages, each by a name of its own.");
