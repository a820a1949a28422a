import type { DeliveryRecord, Message, Random, Skip } from "../core/index.ts";
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
  const skipped: Skip[] = (options.wanted ?? [])
    .filter((name) => !upstreams.some((upstream) => upstream.name === name))
    .map((name) => ({ provider: name, reason: "no provider of this name is configured" }));
  const able: Upstream[] = [];
  // While it is not known whether a provider accepted the message, no other may have it.
  const pinnedTo = upstreams.some(({ name }) => name === record.uncertainAt) ? record.uncertainAt : null;
  for (const upstream of orderUpstreams(upstreams, options.wanted, options.random)) {
    const reason =
      pinnedTo !== null && upstream.name !== pinnedTo
        ? `${pinnedTo} may have accepted the message already`
        : inability(upstream, message, record);
    if (reason === null) able.push(upstream);
    else skipped.push({ provider: upstream.name, reason });
  }
  return { upstreams: able, skipped };
}

function inability({ name, gate }: Upstream, message: Message, record: DeliveryRecord): string | null {
  const { capabilities } = gate.provider;
  if (record.refusedBy.includes(name)) return "it refused this message for good";
  if (message.mime.length > capabilities.maxMessageBytes) {
    return `the message has ${message.mime.length} bytes, it takes ${capabilities.maxMessageBytes}`;
  }
  if (message.envelope.rcptTo.length > capabilities.maxRecipients) {
    return `the message has ${message.envelope.rcptTo.length} recipients, it takes ${capabilities.maxRecipients}`;
  }
  if (message.parts === null && !capabilities.raw) return "it takes no finished MIME";
  return gate.provider.declines(message);
}
