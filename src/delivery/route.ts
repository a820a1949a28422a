import type { Declination, DeliveryRecord, Message, Random, Skip } from "../core/index.ts";
import type { Gate } from "../gate/gate.ts";

/** A provider as the route sees it. Lower `priority` comes first; equal ones share by `weight`. */
export type Upstream = {
  readonly name: string;
  readonly priority: number;
  readonly weight: number;
  readonly gate: Gate;
};

export type Route = {
  /** Those that can take this message, in order. */
  readonly upstreams: readonly Upstream[];
  /** Those that cannot, each with the reason. */
  readonly skipped: readonly Skip[];
  /** Whether an operator can make one of those take it: by a From that it may use, by a provider of the name wanted. */
  readonly mendable: boolean;
};

/** The order for one message: by priority, by chance according to weight among equals, narrowed to `wanted` where given. */
export function orderUpstreams(
  upstreams: readonly Upstream[],
  wanted: readonly string[] | null,
  random: Random,
): Upstream[] {
  if (wanted !== null) {
    return wanted.flatMap((name) => upstreams.find((upstream) => upstream.name === name) ?? []);
  }
  // Exponential keys give each its share of the first places (Efraimidis and Spirakis, 2006).
  return upstreams
    .map((upstream) => ({ upstream, key: -Math.log(1 - random()) / upstream.weight }))
    .toSorted((a, b) => a.upstream.priority - b.upstream.priority || a.key - b.key)
    .map(({ upstream }) => upstream);
}

/** The providers that can take this message, and why the others cannot. Gates are asked later, when their turn comes. */
export function planRoute(
  upstreams: readonly Upstream[],
  message: Message,
  record: DeliveryRecord,
  options: { readonly wanted: readonly string[] | null; readonly random: Random },
): Route {
  const unknown = (options.wanted ?? []).filter((name) => !upstreams.some((upstream) => upstream.name === name));
  const skipped: Skip[] = unknown.map((provider) => ({ provider, reason: "no provider of this name is configured" }));
  const able: Upstream[] = [];
  let mendable = unknown.length > 0;
  const candidates = orderUpstreams(upstreams, options.wanted, options.random).map((upstream) => ({
    upstream,
    inability: inabilityOf(upstream, message, record),
  }));
  // While it is not known whether a provider accepted the message, no other may have it; unless that one is gone, or
  // cannot take the message any more: then nobody would ever have it.
  const pinnedTo = candidates.find(
    ({ upstream, inability }) => upstream.name === record.uncertainAt && inability?.cause !== "content",
  )?.upstream.name;
  for (const { upstream, inability } of candidates) {
    const provider = upstream.name;
    if (pinnedTo !== undefined && provider !== pinnedTo) {
      skipped.push({ provider, reason: `${pinnedTo} may have accepted the message already` });
    } else if (inability === null) {
      able.push(upstream);
    } else {
      skipped.push({ provider, reason: inability.reason });
      mendable ||= inability.cause === "sender";
    }
  }
  return { upstreams: able, skipped, mendable };
}

function inabilityOf({ name, gate }: Upstream, message: Message, record: DeliveryRecord): Declination | null {
  const { capabilities } = gate.provider;
  const sizeBytes = message.mime.length;
  const recipientCount = message.envelope.rcptTo.length;
  if (record.refusedBy.includes(name)) return cannot("it refused this message for good");
  if (sizeBytes > capabilities.maxMessageBytes) {
    return cannot(`the message has ${sizeBytes} bytes, it takes ${capabilities.maxMessageBytes}`);
  }
  if (recipientCount > capabilities.maxRecipients) {
    return cannot(`the message has ${recipientCount} recipients, it takes ${capabilities.maxRecipients}`);
  }
  if (message.parts === null && !capabilities.raw) return cannot("it takes no finished MIME");
  return gate.provider.declines(message);
}

function cannot(reason: string): Declination {
  return { cause: "content", reason };
}
