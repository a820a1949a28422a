import type { Overlay, Shift } from "../control/overlay.ts";
import { newRecord } from "../core/index.ts";
import type { Message, Skip, Submission } from "../core/index.ts";
import { policyFor } from "../delivery/policy.ts";
import { factsOf, matches } from "../delivery/route-rules.ts";
import { planRoute } from "../delivery/route.ts";
import type { Route } from "../delivery/route.ts";
import { Walk } from "./route-walk.ts";
import type { PreviewParts, RouteStep } from "./route-walk.ts";

/** Which way a message like this one would go now. Nothing was sent, and no slot taken. */
export type RoutePreview = {
  /** What set the order, in words. */
  readonly because: string;
  /** Cutovers under way that move a part of such mail before this order. */
  readonly shifts: readonly Shift[];
  readonly steps: readonly RouteStep[];
  /** Those that cannot take it at all, or are not on its route. */
  readonly skipped: readonly Skip[];
  /** What becomes of such mail where nobody takes all of it now; null: somebody does. */
  readonly ending: string | null;
};

/** Walks the route as delivery does, with its functions and its gates, up to where an attempt would begin. */
export function previewRoute(submission: Submission, message: Message, parts: PreviewParts): RoutePreview {
  const overlay = parts.routing.overlay();
  const shifts = partialShifts(submission, overlay);
  // Whether one message is among those that a cutover moves says nothing of the others: that is told as a share.
  const whole: Overlay = { ...overlay, shifts: overlay.shifts.filter((shift) => !shifts.includes(shift)) };
  const record = newRecord({ ...message, recipients: message.envelope.rcptTo });
  const routing = { ...parts.routing, overlay: () => whole };
  // The same chance for all: the heaviest of equals first.
  const route = planRoute(parts.upstreams, { message, submission }, record, { routing, random: () => 0.5 });
  const policy = policyFor(submission, parts.classes, parts.now);
  const walk = new Walk({ message, record, route, policy, overlay: whole, parts });
  const steps = walk.steps();
  const named = new Set([...steps, ...route.skipped].map(({ provider }) => provider));
  const others = parts.upstreams.filter(({ name }) => !named.has(name));
  return {
    because: route.because,
    shifts,
    steps,
    skipped: [
      ...route.skipped,
      ...others.map(({ name }) => ({ provider: name, reason: "it is not on the route of such mail" })),
    ],
    ending: endingOf(route, steps),
  };
}

function partialShifts(submission: Submission, { shifts }: Overlay): Shift[] {
  if (submission.providers !== null) return [];
  const facts = factsOf(submission);
  return shifts.filter(({ percent, when }) => percent < 100 && matches(when, facts));
}

function endingOf({ upstreams, mendable }: Route, steps: readonly RouteStep[]): string | null {
  if (upstreams.length === 0) {
    return mendable ? "it waits until an operator changes that" : "it bounces: no provider can carry it";
  }
  if (steps.some(({ verdict, percent }) => verdict === "takes" && percent === 100)) return null;
  const waitedFor = steps.find(({ verdict }) => verdict === "waited for");
  const whose = steps.some(({ verdict }) => verdict === "takes") ? "the rest" : "it";
  if (waitedFor !== undefined) return `${whose} waits for ${waitedFor.provider}`;
  return `${whose} waits until one of them takes mail again`;
}
