import { domainToASCII } from "node:url";
import * as z from "zod";
import { MESSAGE_CLASSES } from "../core/index.ts";

/** The conditions a route may have, in the order in which errors list them. */
const CONDITIONS = ["class", "senderDomain", "recipientDomain", "tenant", "tag"] as const;

/** One value, or a list of values of which any will do. */
const oneOrMore = <T extends z.ZodType<string>>(value: T) => z.union([value, z.array(value).min(1)]);

const DOMAIN =
  /^(?=.{1,253}$)(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** A domain as the addresses of messages have it: in lower case, other letters as A-labels (RFC 5890). */
const domain = z
  .string()
  .transform((text) => `${text.startsWith("*.") ? "*." : ""}${domainToASCII(text.replace(/^\*\./, ""))}`)
  .refine((text) => DOMAIN.test(text), 'is not a domain such as contoso.com, or "*.contoso.com" for those below it');

const label = z.string().min(1).max(100);

const whenSchema = z
  .strictObject(
    {
      class: oneOrMore(z.enum(MESSAGE_CLASSES)).optional(),
      senderDomain: oneOrMore(domain).optional(),
      recipientDomain: oneOrMore(domain).optional(),
      tenant: oneOrMore(label).optional(),
      tag: oneOrMore(label).optional(),
    },
    {
      error: (issue) =>
        issue.code === "unrecognized_keys"
          ? `is not a condition of routes; the conditions are ${CONDITIONS.join(", ")}`
          : undefined,
    },
  )
  .default({});

const providerName = z.string().min(1);

const routeSchema = z.strictObject({
  when: whenSchema,
  use: z
    .array(
      z.union([providerName, z.array(providerName).min(1)], {
        error: "is neither the name of a provider nor a list of such names",
      }),
    )
    .min(1, "names no provider"),
});

/** One rule: which mail it is about, and the providers that this mail goes to. */
export type RouteConfig = z.output<typeof routeSchema>;

export const routesSchema = z
  .array(routeSchema)
  .prefault([])
  .describe(
    "Which mail goes to which providers: `{ when: { class, senderDomain, recipientDomain, tenant, tag }, use: [names] }` " +
      "each. The first that fits counts: docs/routes.md.",
  );

/** The paths below one rule, to guess what an unknown key means. */
export const ROUTE_PATHS: readonly (readonly string[])[] = [["use"], ...CONDITIONS.map((name) => ["when", name])];
