import type { Declination, DeliveryRecord, Message, Random, Skip, Submission } from "../core/index.ts";
import type { Drain } from "../control/overlay.ts";
import { orderFor, standingOf } from "./order.ts";
import type { Routing, Upstream } from "./order.ts";

export type Route = {
  /** Those that can take this message, in order; equals in one tier. */
  readonly tiers: readonly (readonly Upstream[])[];
  /** The same without tiers. */
  readonly upstreams: readonly Upstream[];
  /** Those that could, and that operators keep mail from: maybe in a later round. */
  readonly drained: readonly Upstream[];
  /** Those that cannot, each with the reason; the drained ones among them. */
  readonly skipped: readonly Skip[];
  /** Whether an operator can make one of those take it: by a From that it may use, by a provider of the name wanted. */
  readonly mendable: boolean;
  /** To whom operators moved this message. */
  readonly shifted: readonly string[];
  /** What set the order, in words. */
  readonly because: string;
};

/** Why a provider is left out of a message's route. `operator`: people keep mail from it. */
type Inability = Declination | { readonly cause: "operator"; readonly reason: string };

/** The providers that can take this message, and why the others cannot. Gates are asked later, when their turn comes. */
export function planRoute(
  upstreams: readonly Upstream[],
  { message, submission }: { readonly message: Message; readonly submission: Submission },
  record: DeliveryRecord,
  { routing, random }: { readonly routing: Routing; readonly random: Random },
): Route {
  const order = orderFor(upstreams, { id: message.id, submission }, routing, random);
  const skipped: Skip[] = order.unknown.map((provider) => ({
    provider,
    reason: "no provider of this name is configured",
  }));
  let mendable = order.unknown.length > 0;
  const overlay = routing.overlay();
  const inabilities = new Map(
    order.tiers.flat().map((upstream) => {
      const { drain } = standingOf(overlay, upstream.name);
      return [upstream, inabilityOf(upstream, message, record) ?? drained(drain)] as const;
    }),
  );
  // While it is not known whether a provider accepted the message, no other may have it; unless that one is gone, or
  // cannot take the message any more: then nobody would ever have it.
  const pinnedTo = [...inabilities].find(
    ([{ name }, inability]) => name === record.uncertainAt && inability?.cause !== "content",
  )?.[0].name;
  const shelved: Upstream[] = [];
  const isAble = (upstream: Upstream): boolean => {
    const { name: provider } = upstream;
    const inability = inabilities.get(upstream) ?? null;
    if (pinnedTo !== undefined && provider !== pinnedTo) {
      skipped.push({ provider, reason: `${pinnedTo} may have accepted the message already` });
      return false;
    }
    if (inability === null) return true;
    skipped.push({ provider, reason: inability.reason });
    mendable ||= inability.cause !== "content";
    if (inability.cause === "operator") shelved.push(upstream);
    return false;
  };
  const tiers = order.tiers.map((tier) => tier.filter(isAble)).filter((tier) => tier.length > 0);
  return {
    tiers,
    upstreams: tiers.flat(),
    drained: shelved,
    skipped,
    mendable,
    shifted: order.shifted,
    because: order.because,
  };
}

function drained(drain: Drain | null): Inability | null {
  if (drain === null) return null;
  const until = drain.untilAt === null ? "" : ` until ${new Date(drain.untilAt).toISOString()}`;
  return { cause: "operator", reason: `drained by ${drain.by}${until}: ${drain.reason}` };
}

function inabilityOf({ name, gate }: Upstream, message: Message, record: DeliveryRecord): Inability | null {
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

function cannot(reason: string): Inability {
  return { cause: "content", reason };
}
