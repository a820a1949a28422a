import type { Overlay } from "../control/overlay.ts";
import { mapFrom } from "../core/index.ts";
import type { DeliveryRecord, FromMapping, LimitSettings, Message, MessageClass } from "../core/index.ts";
import { standingOf } from "../delivery/order.ts";
import type { Routing, Upstream } from "../delivery/order.ts";
import type { ClassSettings, Policy } from "../delivery/policy.ts";
import type { Route } from "../delivery/route.ts";
import { isWaitedFor } from "../delivery/waiting.ts";
import type { Wait } from "../delivery/waiting.ts";
import { isSparing } from "../gate/admission.ts";
import type { NextSlot } from "../gate/limits/read-slot.ts";
import { limitWaitOf } from "./limits-left.ts";
import type { ProviderOverview } from "./provider-overview.ts";

export type PreviewParts = {
  /** With gates of a pictured fleet. */
  readonly upstreams: readonly Upstream[];
  readonly routing: Routing;
  readonly classes: Readonly<Record<MessageClass, ClassSettings>>;
  readonly overviews: readonly ProviderOverview[];
  /** The next slots of those with a limit a minute. */
  readonly slots: ReadonlyMap<string, NextSlot>;
  /** What may be shown of a text that a provider wrote. */
  readonly show: (text: string) => string;
  readonly settingsOf: (provider: string) => {
    readonly limits?: LimitSettings | undefined;
    readonly from: FromMapping;
  };
  readonly now: number;
};

/** A provider of the route, in the order in which it is asked. */
export type RouteStep = {
  readonly provider: string;
  /**
   * - `takes`: it gets such mail, or `percent` of it; the rest goes on to the next.
   * - `next`: it gets what those before it do not take.
   * - `waited for`: such mail waits for it rather than go on.
   * - `passed over`: it cannot have such mail now.
   * - `not asked`: such mail waits for one before it.
   */
  readonly verdict: "takes" | "next" | "waited for" | "passed over" | "not asked";
  /** Of its mail, that it gets now, in percent. */
  readonly percent: number;
  /** How often it is the first of its equals to be asked, in percent; null: it has none. */
  readonly turnPercent: number | null;
  /** Why it gets none, or only a part; null: it gets all. */
  readonly reason: string | null;
  /** When it is asked again, epoch milliseconds; null: it takes such mail, or nobody can tell. */
  readonly untilAt: number | null;
  /** The From that it would send as. */
  readonly from: string;
};

export type WalkParts = {
  readonly message: Message;
  readonly record: DeliveryRecord;
  readonly route: Route;
  readonly policy: Policy;
  readonly overlay: Overlay;
  readonly parts: PreviewParts;
};

/** What a provider would say. `wait`: what it asks for where it only asks for patience. */
type Answer = Pick<RouteStep, "percent" | "reason" | "untilAt"> & { readonly wait: Wait | null };

/** One walk along a route, as delivery takes it, from the first provider to the last and up to where an attempt would begin. */
export class Walk {
  readonly #walk: WalkParts;
  #isTaken = false;
  #waitedFor: string | null = null;
  #soonest: Wait | null = null;

  constructor(walk: WalkParts) {
    this.#walk = walk;
  }

  steps(): RouteStep[] {
    const { route, policy, record, parts } = this.#walk;
    return route.tiers.flatMap((tier) => {
      const steps = tier.map((upstream) => this.#step(upstream, tier));
      const soonest = this.#soonest;
      const isPatient = soonest !== null && isWaitedFor(soonest, record, policy, parts.now);
      if (this.#isTaken || this.#waitedFor !== null || !isPatient) return steps;
      this.#waitedFor = soonest.upstream.name;
      return steps.map((step) =>
        step.provider === this.#waitedFor ? { ...step, verdict: "waited for" as const } : step,
      );
    });
  }

  #step(upstream: Upstream, tier: readonly Upstream[]): RouteStep {
    const { message, parts, overlay } = this.#walk;
    const { name } = upstream;
    const { wait, ...answer } = this.#ask(upstream);
    const weightOf = (each: Upstream): number => standingOf(overlay, each.name).weight ?? each.weight;
    const allWeights = tier.reduce((sum, each) => sum + weightOf(each), 0);
    const turnPercent = tier.length === 1 ? null : Math.round((100 * weightOf(upstream)) / allWeights);
    const from = mapFrom(parts.settingsOf(name).from, message.from) ?? message.from;
    const step = { provider: name, ...answer, turnPercent, from: from.address };
    if (this.#waitedFor !== null) return { ...step, verdict: "not asked" };
    if (wait !== null && (this.#soonest === null || wait.untilAt < this.#soonest.untilAt)) this.#soonest = wait;
    if (answer.percent === 0) return { ...step, verdict: "passed over" };
    if (this.#isTaken) return { ...step, verdict: "next" };
    this.#isTaken = answer.percent === 100;
    return { ...step, verdict: "takes" };
  }

  #ask(upstream: Upstream): Answer {
    const { message, parts } = this.#walk;
    const { gate, name } = upstream;
    const admission = gate.admit({ id: message.id, from: message.from.address });
    if (!admission.open && !isSparing(admission)) {
      const { untilAt, cause } = admission;
      const reason = parts.show(admission.reason);
      const wait = cause === "throttled" ? ({ upstream, untilAt, reason, kind: "pause" } as const) : null;
      return { percent: 0, reason, untilAt, wait };
    }
    const limited = this.#limited(upstream);
    const overview = parts.overviews.find((each) => each.name === name);
    const percent = Math.min(gate.percent, overview?.percent ?? 100);
    if (percent === 100) return limited ?? { percent, reason: null, untilAt: null, wait: null };
    const exceptions = overview?.exceptions ?? [];
    const spared = whySpared(exceptions) ?? `on its way back: it gets ${percent} % of its mail`;
    // Only a gate that spares its provider lets all through where no other is left.
    if (exceptions.every(({ kind }) => kind !== "open") && this.#isAlone(upstream)) {
      return limited ?? { percent: 100, reason: `${spared}; but no other is left`, untilAt: null, wait: null };
    }
    // The rest does not wait for a limit that it does not come to.
    if (limited !== null) return { ...limited, reason: `${spared}; for that ${limited.reason}`, wait: null };
    return { percent, reason: spared, untilAt: admission.open ? null : admission.untilAt, wait: null };
  }

  /** Its answer where its limits are used up for such mail, or null. */
  #limited(upstream: Upstream): Answer | null {
    const { message, parts } = this.#walk;
    const usage = parts.overviews.find(({ name }) => name === upstream.name)?.usage ?? null;
    const { limits: settings } = parts.settingsOf(upstream.name);
    if (usage === null || settings === undefined) return null;
    const recipientCount = message.envelope.rcptTo.length;
    const limit = limitWaitOf(usage, {
      class: message.class,
      recipientCount,
      settings,
      slot: parts.slots.get(upstream.name) ?? null,
      now: parts.now,
    });
    if (limit === null) return null;
    const { cause, reason, untilAt } = limit;
    const kind = cause === "rate" ? "slot" : "quota";
    return {
      percent: 0,
      reason,
      untilAt,
      wait: untilAt === null ? null : { upstream, untilAt, reason, kind },
    };
  }

  /** No provider after it is open. Those before it were asked already. */
  #isAlone(upstream: Upstream): boolean {
    const { message, route } = this.#walk;
    const bearer = { id: message.id, from: message.from.address };
    const after = route.upstreams.slice(route.upstreams.indexOf(upstream) + 1);
    return after.every(({ gate }) => !gate.admit(bearer).open);
  }
}

/** What workers say that give it less than their fleet does. */
function whySpared(exceptions: ProviderOverview["exceptions"]): string | null {
  const [first] = exceptions;
  if (first === undefined) return null;
  return `not all workers give it all of its mail${first.reason === null ? "" : `: ${first.reason}`}`;
}
