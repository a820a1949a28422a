import type { MessageClass, Skip } from "../core/index.ts";
import { describeMail } from "../control/describe.ts";
import { describeStanding, remedyOf } from "./format-providers.ts";
import { countInWords, oneLine, whenInWords } from "./in-words.ts";
import { describeLimitsLeft } from "./limits-left.ts";
import type { ProviderOverview } from "./provider-overview.ts";
import type { RoutePreview } from "./route-preview.ts";
import type { RouteStep } from "./route-walk.ts";

/** All that `mailover route` tells. */
export type RouteReport = RoutePreview & {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly mail: {
    readonly class: MessageClass;
    readonly from: string;
    readonly recipientCount: number;
    readonly sizeBytes: number;
  };
  readonly providers: readonly ProviderOverview[];
  /** Whether there is anybody to send it. */
  readonly workerCount: number;
  /** What the answer leaves open, in sentences. */
  readonly notes: readonly string[];
};

/** Plain lines: what set the order, then the providers in it, each with what becomes of such mail there and why. */
export function formatRoute(report: RouteReport): string {
  const { mail, because, shifts, steps, skipped, ending, notes, workerCount } = report;
  const recipients = `${mail.recipientCount} ${mail.recipientCount === 1 ? "recipient" : "recipients"}`;
  return [
    `class ${mail.class}, from ${mail.from}, ${recipients}, ${countInWords(mail.sizeBytes)} bytes`,
    `order: ${because}`,
    ...shifts.map(({ to, percent, when }) => `${percent} % of ${describeMail(when)} goes to ${to} first, by a cutover`),
    ...steps.flatMap((step, index) => stepLines(step, index, report)),
    ...skipped.map((skip) => skipLine(skip, report)),
    ...(ending === null ? [] : [`so ${ending}`]),
    ...(workerCount === 0 ? ["no gateway is running: all mail waits; to start one: mailover start"] : []),
    ...notes,
  ].join("\n");
}

function stepLines(step: RouteStep, index: number, { mail, now, providers, steps }: RouteReport): string[] {
  const overview = providers.find(({ name }) => name === step.provider);
  const left = overview?.usage ? describeLimitsLeft(overview.usage, now) : null;
  const open = overview?.conditions.find((condition) => condition.kind === "open");
  // What keeps it from taking this mail is said already.
  const isTold = step.reason !== null || overview === undefined || overview.conditions.length === 0;
  const standing = isTold ? null : describeStanding(overview, now);
  const further = [
    ...(standing === null ? [] : [`now: ${standing}`]),
    ...(open === undefined ? [] : [remedyOf(step.provider, open.remedy)]),
    ...(step.from === mail.from ? [] : [`From becomes ${step.from}`]),
    ...(left === null ? [] : [`left: ${left}`]),
  ];
  return [`${index + 1}. ${step.provider}: ${verdictOf(step, now, steps)}`, ...further.map((line) => `   ${line}`)];
}

function verdictOf(step: RouteStep, now: number, steps: readonly RouteStep[]): string {
  const { verdict, percent, turnPercent, reason, untilAt } = step;
  const turn = turnPercent === null ? "" : `, asked first of its equals for ${turnPercent} % of such mail`;
  const why = reason === null ? "" : `: ${oneLine(reason)}`;
  const when = untilAt === null ? "now" : whenInWords(untilAt, now);
  const until = when === "now" ? "" : ` until ${when}`;
  switch (verdict) {
    case "takes":
      return `takes ${percent === 100 ? whatIsLeft(steps) : `${percent} % of such mail`}${turn}${why}`;
    case "next":
      return `next, where those before it do not take it${turn}`;
    case "waited for":
      return `such mail waits for it${until}${why}`;
    case "passed over":
      return `skipped${until}${why}`;
    case "not asked":
      return "not asked while such mail waits";
  }
}

function whatIsLeft(steps: readonly RouteStep[]): string {
  return steps.some(({ verdict, percent }) => verdict === "takes" && percent < 100) ? "the rest" : "it";
}

function skipLine({ provider, reason }: Skip, { providers }: RouteReport): string {
  const conditions = providers.find(({ name }) => name === provider)?.conditions ?? [];
  const drain = conditions.find(({ kind }) => kind === "drained");
  const isDrained = drain?.kind === "drained" && reason.startsWith("drained by ");
  return `-  ${provider}: skipped: ${oneLine(reason)}${isDrained ? `; to end it: mailover resume ${drain.name}` : ""}`;
}
