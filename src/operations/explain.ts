import { CAUSES, classify } from "../core/index.ts";
import type { CauseRow, Evidence, Failure, ProviderDefinition, Rule, Stage } from "../core/index.ts";
import { readEvidence } from "./evidence-reader.ts";

/** A kind of provider, as far as explaining goes. */
export type RuleSet = Pick<ProviderDefinition, "kind" | "rules">;

export type ExplainOptions = {
  /** The kind of provider that answered; without it the one whose own rule fits. */
  readonly kind?: string | undefined;
  /** The stage it was answered at; without it the one the input names, or the usual one. */
  readonly stage?: Stage | undefined;
};

export type Explanation = {
  readonly kind: string;
  readonly stage: Stage;
  readonly assumedStage: boolean;
  readonly evidence: Evidence;
  readonly failure: Failure;
  /** Null where no rule knows it. */
  readonly rule: Pick<Rule, "id" | "meaning" | "source"> | null;
  readonly causeRow: CauseRow;
};

/** The kind whose rules the other SMTP kinds build on, and so the one for replies that are nobody's own. */
const GENERIC_KIND = "smtp";

/**
 * Says what a reply or an error means, by the same rules that act on it in a delivery.
 * Throws a RangeError where `options.kind` is none of `definitions`, or there are none.
 */
export function explain(
  input: string,
  definitions: readonly RuleSet[],
  { kind, stage }: ExplainOptions = {},
): Explanation {
  const { evidence, assumedStage } = readEvidence(input, stage);
  const candidates = kind === undefined ? definitions : definitions.filter((definition) => definition.kind === kind);
  const definition = pick(candidates, evidence);
  if (definition === undefined) {
    throw new RangeError(
      `no provider of kind ${kind ?? "any"}; there are ${definitions.map((d) => d.kind).join(", ")}`,
    );
  }
  const failure = classify(definition.rules, evidence);
  const rule = ruleOf(definition, failure);
  return {
    kind: definition.kind,
    stage: evidence.stage,
    assumedStage,
    evidence,
    failure,
    rule: rule === null ? null : { id: rule.id, meaning: rule.meaning, source: rule.source },
    causeRow: CAUSES[failure.cause],
  };
}

/** The first kind with a rule of its own for this; else the generic one; else whichever knows it at all. */
function pick(definitions: readonly RuleSet[], evidence: Evidence): RuleSet | undefined {
  const generic = definitions.find(({ kind }) => kind === GENERIC_KIND);
  const found = definitions.map((definition) => ({
    definition,
    rule: ruleOf(definition, classify(definition.rules, evidence)),
  }));
  const shared = new Set(generic?.rules);
  const genericRule = found.find(({ definition }) => definition === generic)?.rule ?? null;
  const own = found.find(
    ({ definition, rule }) =>
      definition !== generic &&
      rule !== null &&
      !shared.has(rule) &&
      // Words are surer than a code that several providers give.
      (rule.when.text !== undefined || genericRule?.when.text === undefined),
  );
  if (own !== undefined) return own.definition;
  if (genericRule !== null) return generic;
  return found.find(({ rule }) => rule !== null)?.definition ?? generic ?? definitions[0];
}

function ruleOf({ rules }: RuleSet, failure: Failure): Rule | null {
  return rules.find(({ id }) => id === failure.rule) ?? null;
}

/** The explanation in plain words, a line for each thing there is to say. */
export function formatExplanation(explanation: Explanation): string {
  const { kind, stage, assumedStage, failure, rule, causeRow } = explanation;
  const lines: readonly (readonly [label: string, text: string | null])[] = [
    ["Means", rule?.meaning ?? unknownMeaning(failure)],
    ["Cause", `${failure.cause}: ${causeRow.meaning}`],
    ["Scope", SCOPE_WORDS[failure.scope]],
    ["Mailover", causeRow.action],
    ["Elsewhere", failure.elsewhere === true ? "worth another provider: it may be this one's alone" : null],
    ["Wait", failure.retryAfterMs === undefined ? null : formatDuration(failure.retryAfterMs)],
    ["To mend it", failure.remedy ?? null],
    ["Stage", assumedStage ? `${stage} (assumed; give --stage if it was another)` : stage],
    ["Rule", rule === null ? `none of ${kind}` : `${kind}/${rule.id}`],
    ["Source", rule?.source ?? null],
  ];
  const shown = lines.filter((line): line is readonly [string, string] => line[1] !== null);
  return [failure.reason, "", ...shown.map(([label, text]) => `  ${label.padEnd(12)}${text}`)].join("\n");
}

const SCOPE_WORDS: Readonly<Record<Failure["scope"], string>> = {
  provider: "all mail of this provider",
  sender: "mail of this From at this provider",
  message: "this message",
  recipient: "this recipient",
};

function unknownMeaning(failure: Failure): string {
  return failure.cause === "uncertain"
    ? "no answer came after the content went out"
    : "no rule knows this; it is taken as passing, so that no mail is lost";
}

/** Whole units, the largest that fits: "6 h", "15 min", "5 s". */
export function formatDuration(durationMs: number): string {
  if (durationMs >= 3_600_000) return `${Math.round(durationMs / 3_600_000)} h`;
  if (durationMs >= 60_000) return `${Math.round(durationMs / 60_000)} min`;
  return `${Math.ceil(durationMs / 1_000)} s`;
}
