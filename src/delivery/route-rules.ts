import { domainOf } from "../core/index.ts";
import type { MessageClass, Submission } from "../core/index.ts";
import { asciiDomain } from "../message/mailbox.ts";

/** One value, or several of which any will do. */
type OneOrMore<T extends string = string> = T | readonly T[];

/** What mail a rule, or a shift of traffic, is about. All conditions that are there must hold; none: all mail. */
export type Conditions = {
  readonly class?: OneOrMore | undefined;
  /** Domain of the From address. `*.contoso.com` stands for every domain below contoso.com, and not for itself. */
  readonly senderDomain?: OneOrMore | undefined;
  /** Holds where every recipient is in one of these: one message goes one way. */
  readonly recipientDomain?: OneOrMore | undefined;
  readonly tenant?: OneOrMore | undefined;
  /** Holds where the message has one of these tags. */
  readonly tag?: OneOrMore | undefined;
};

/** A rule of the configuration: mail like this goes to these providers only, in this order; those of a list are equals. */
export type RouteRule = { readonly when: Conditions; readonly use: readonly OneOrMore[] };

/** What rules ask about a message. Domains in lower case, with A-labels. */
export type RouteFacts = {
  readonly class: MessageClass;
  readonly senderDomain: string;
  /** Of all recipients, also of those that have their copy already: a message keeps its route from round to round. */
  readonly recipientDomains: readonly string[];
  readonly tenant: string | null;
  readonly tags: readonly string[];
};

export type RuledRoute = {
  /** The rule that the message fell under: its place in the configuration, from 0, and its words. */
  readonly rule: { readonly index: number; readonly text: string } | null;
  /** Names of providers, the first tier first, equals in one tier; null where no rule says anything. */
  readonly tiers: readonly (readonly string[])[] | null;
};

/** The first rule that a message falls under. */
export function routeFor(rules: readonly RouteRule[], facts: RouteFacts): RuledRoute {
  const index = rules.findIndex(({ when }) => matches(when, facts));
  const rule = rules[index];
  if (rule === undefined) return { rule: null, tiers: null };
  return { rule: { index, text: describeRule(rule) }, tiers: rule.use.map(listOf) };
}

/** Names, some of which stand for a pool, as tiers: the members of a pool are equals. A name that is no pool's is itself. */
export function tiersOf(names: readonly string[], pools: Readonly<Record<string, readonly string[]>>): string[][] {
  return names.map((name) => (Object.hasOwn(pools, name) ? [...(pools[name] ?? [])] : [name]));
}

/** What rules ask about this message. */
export function factsOf({ class: name, from, envelope, tenant, tags }: RoutedSubmission): RouteFacts {
  const domain = (address: string) => asciiDomain(domainOf(address));
  return {
    class: name,
    senderDomain: domain(from.address),
    recipientDomains: [...new Set(envelope.rcptTo.map(domain))],
    tenant,
    tags,
  };
}

type RoutedSubmission = Pick<Submission, "class" | "from" | "envelope" | "tenant" | "tags">;

/** Whether all these conditions hold. Domains are alike in any case; tenants and tags only as they are. */
export function matches(when: Conditions, facts: RouteFacts): boolean {
  const { recipientDomains } = facts;
  return (
    holds(when.class, (name) => name === facts.class) &&
    holds(when.senderDomain, (pattern) => isInDomain(facts.senderDomain, pattern)) &&
    (when.recipientDomain === undefined || recipientDomains.length > 0) &&
    recipientDomains.every((domain) => holds(when.recipientDomain, (pattern) => isInDomain(domain, pattern))) &&
    holds(when.tenant, (tenant) => tenant === facts.tenant) &&
    holds(when.tag, (tag) => facts.tags.includes(tag))
  );
}

/** The rule in plain words: "class bulk, from contoso.com: sendgrid, then relay". */
export function describeRule({ when, use }: RouteRule): string {
  const order = use.map((tier) => words(tier)).join(", then ");
  return `${describeConditions(when)}: ${order}`;
}

/** The conditions in plain words: "class bulk, from contoso.com"; "all mail" where there are none. */
export function describeConditions(when: Conditions): string {
  const parts = [
    when.class !== undefined && `class ${words(when.class)}`,
    when.senderDomain !== undefined && `from ${words(when.senderDomain)}`,
    when.recipientDomain !== undefined && `every recipient in ${words(when.recipientDomain)}`,
    when.tenant !== undefined && `tenant ${words(when.tenant)}`,
    when.tag !== undefined && `tag ${words(when.tag)}`,
  ].filter((part) => part !== false);
  return parts.length === 0 ? "all mail" : parts.join(", ");
}

function holds(values: OneOrMore | undefined, test: (value: string) => boolean): boolean {
  return values === undefined || listOf(values).some(test);
}

function isInDomain(domain: string, pattern: string): boolean {
  const wanted = pattern.toLowerCase();
  return wanted.startsWith("*.") ? domain.endsWith(wanted.slice(1)) : domain === wanted;
}

function listOf(values: OneOrMore): readonly string[] {
  return typeof values === "string" ? [values] : values;
}

function words(values: OneOrMore): string {
  return listOf(values).join(" or ");
}
