import { z } from "zod";
import { defineProvider } from "../../../src/core/index.ts";
import type { Provider, ProviderDefinition, RoutingSettings } from "../../../src/core/index.ts";

const routing = { priority: z.int().min(0).default(100), weight: z.int().min(1).default(1) };

function noProvider(): Provider {
  throw new Error("these tests read settings only");
}

/** A relay: required text that may be a list, numbers, a choice, a secret. */
const relay = defineProvider<RoutingSettings>({
  kind: "relay",
  settings: z.strictObject({
    kind: z.literal("relay"),
    ...routing,
    host: z.string().min(1).describe("Host name or address."),
    port: z.int().min(1).max(65_535).default(587),
    tls: z.enum(["implicit", "required", "none"]).default("required"),
    user: z.string().optional(),
    password: z.string().min(8).optional(),
    idleMs: z.int().min(0).max(3_600_000).default(30_000),
  }),
  secrets: ["password"],
  pool: { each: "host", list: "hosts" },
  rules: [],
  create: noProvider,
});

/** A cloud: one credential of two, a group, a mapping, a URL, a secret that is required. */
const cloud = defineProvider<RoutingSettings>({
  kind: "cloud",
  settings: z
    .strictObject({
      kind: z.literal("cloud"),
      ...routing,
      apiKey: z.string().regex(/^K-/, { error: "must be a key: it begins with K-" }),
      baseUrl: z.url({ protocol: /^https$/ }).optional(),
      sandbox: z.boolean().default(false),
      clientSecret: z.string().optional(),
      certificate: z.strictObject({ file: z.string(), password: z.string().optional() }).optional(),
      from: z.record(z.string(), z.email()).default({}),
      sendAs: z.array(z.string()).default([]),
    })
    .refine((value) => value.clientSecret === undefined || value.certificate === undefined, {
      path: ["certificate"],
      error: "exactly one of clientSecret and certificate is needed, both are set",
    }),
  secrets: ["apiKey", "clientSecret", "certificate.password"],
  rules: [],
  create: noProvider,
});

export const definitions: readonly ProviderDefinition[] = [relay, cloud];
