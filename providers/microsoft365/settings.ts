import { z } from "zod";
import { address, fromMapping, routing, smtpTimeouts } from "../settings.ts";
import { CLOUDS } from "./clouds.ts";
import type { CloudName } from "./clouds.ts";
import { credentialProblems, credentialShape, nextCredential, sharedTokenKey } from "./credential-settings.ts";
import { maySendAs } from "./sender.ts";
import { copyWindowMs } from "./sent-items.ts";

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DOMAIN = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*$/i;
const ADDRESS_OR_DOMAIN = /^[^\s@]*@[^\s@]+\.[^\s@]+$/;

const timeouts = smtpTimeouts.unwrap().extend({
  /** The whole request for a token, from the look-up of the name to the end of the answer. */
  tokenMs: z.int().min(1).max(3_600_000).default(10_000),
  /** One question to Microsoft Graph, likewise. */
  graphMs: z.int().min(1).max(3_600_000).default(10_000),
});

/** An https address without a path; a slash at its end is dropped. */
const origin = (example: string) =>
  z
    .string()
    .regex(/^https:\/\/[^/?#@\s]+\/?$/, `is no https address without a path, such as ${example}`)
    .transform((value) => value.replace(/\/$/, ""));

const scope = z.string().regex(/^https:\/\/\S+\/\.default$/, "does not begin with https:// and end with /.default");

const shape = {
  kind: z.literal("microsoft365"),
  /** Exchange Online's own limits of a mailbox are the defaults. */
  ...routing({ perMinute: 30, recipientsPerDay: 10_000, connections: 3 }),
  /** The tenant (directory): its GUID, or one of its domains. */
  tenantId: z
    .string()
    .refine((value) => GUID.test(value) || DOMAIN.test(value), "is neither a GUID nor a domain of the tenant"),
  /** Application (client) ID of the app registration. */
  clientId: z.string().regex(GUID, "is no GUID; it is the Application (client) ID of the app registration"),
  /** The mailbox that is signed in to. It needs an Exchange Online licence. */
  mailbox: address,
  ...credentialShape,
  /** Takes over where Entra ID refuses the credential above. */
  nextCredential: nextCredential.optional(),
  /** Seals the token that the gateways of a fleet share, in place of a key made of the credential. A secret. */
  sharedTokenKey: sharedTokenKey.optional(),
  /** Names of the cloud the tenant is in; `worldwide` also for GCC. */
  cloud: z.enum(Object.keys(CLOUDS) as [CloudName, ...CloudName[]]).default("worldwide"),
  /** SMTP host in place of the cloud's. */
  host: z.string().min(1).optional(),
  port: z.int().min(1).max(65_535).default(587),
  /** Login service in place of the cloud's: https, host and port, without a path. */
  authority: origin("https://login.microsoftonline.com").optional(),
  /** Scope of the token in place of the cloud's. */
  scope: scope.optional(),
  /** Further certificate authorities, PEM text or path of a PEM file, for the SMTP host, the login service and Graph. */
  ca: z.string().min(1).optional(),
  /** From addresses, or domains ("@contoso.com"), that the mailbox may send as beside itself. */
  sendAs: z
    .array(z.string().regex(ADDRESS_OR_DOMAIN, 'is neither an address nor a domain such as "@contoso.com"'))
    .default([]),
  from: fromMapping,
  /** Connections at once. Exchange Online takes 3 for each mailbox. */
  connections: z.int().min(1).default(3),
  /** Largest message in bytes of MIME. The default is Exchange Online's own, 35 MB; a tenant may allow up to 150 MB. */
  maxMessageBytes: z
    .int()
    .positive()
    .default(35 * 1024 * 1024),
  /** Recipients of one message. The default is Exchange Online's own; a tenant may allow up to 1000. */
  maxRecipients: z.int().positive().default(500),
  timeouts: timeouts.prefault({}),
  /** Whether a message whose answer was lost is looked for in the mailbox's Sent Items, by Microsoft Graph. */
  verifyWithGraph: z.boolean().default(false),
  /**
   * How long after an attempt a message that is not in Sent Items was not accepted. Missing: that is never concluded, since
   * it makes a second copy where Exchange keeps none in Sent Items.
   */
  absentAfterMs: z.int().min(copyWindowMs).optional(),
  /** Microsoft Graph in place of the cloud's. */
  graph: z
    .strictObject({
      /** https and host, without a path and version. */
      url: origin("https://graph.microsoft.com").optional(),
      /** Scope of its token. */
      scope: scope.optional(),
    })
    .prefault({}),
};

export const settings = z.strictObject(shape).superRefine((value, context) => {
  for (const problem of credentialProblems(value)) context.addIssue({ code: "custom", ...problem });
  if (value.absentAfterMs !== undefined && !value.verifyWithGraph) {
    context.addIssue({
      code: "custom",
      path: ["absentAfterMs"],
      message: "means nothing without verifyWithGraph: true",
    });
  }
  for (const [key, to] of Object.entries(value.from)) {
    if (maySendAs(value.mailbox, value.sendAs, to)) continue;
    const message = `${to} is not the mailbox ${value.mailbox} nor in its sendAs list`;
    context.addIssue({ code: "custom", path: ["from", key], message });
  }
});

export type Settings = z.output<typeof settings>;
