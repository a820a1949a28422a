import { CAUSES } from "../core/index.ts";
import type { Cause, CauseRow, Condition, Rule } from "../core/index.ts";
import { formatDuration } from "./explain.ts";
import type { RuleSet } from "./explain.ts";
import { table } from "./table.ts";

const GENERATED = "<!-- Generated from the code: npm run generate -->";

/** `docs/provider-replies.md`: every row of every kind's rules. Rows that kinds share stand once, at their last kind. */
export function renderReplies(kinds: readonly RuleSet[]): string {
  const sections = kinds.map(({ kind, rules }, index) => {
    const notes = kinds
      .slice(index + 1)
      .filter((_, offset) => shares(rules, ownRules(kinds, index + 1 + offset)))
      .map((other) => `\nThen the rows that it shares with [${other.kind}](#${other.kind}).`);
    return [`## ${kind}`, "", table(REPLY_HEADER, ownRules(kinds, index).map(replyRow)), ...notes].join("\n");
  });
  return [
    GENERATED,
    "",
    "# What replies mean",
    "",
    "The first row that fits decides. A reply that no row knows is `busy`: it is tried elsewhere and again, so that a gap",
    "never loses mail. [causes.md](causes.md) says what Mailover does for each cause; `mailover explain '<reply>'` finds the",
    "row for a reply in hand. Patterns are regular expressions, compared without regard to case where they end in `/i`.",
    "",
    ...sections.flatMap((section) => [section, ""]),
  ].join("\n");
}

/** `docs/causes.md`: the table of causes. */
export function renderCauses(): string {
  const rows = (Object.entries(CAUSES) as [Cause, CauseRow][]).map(([cause, row]) => [
    `\`${cause}\``,
    row.meaning,
    row.kind,
    row.scope,
    BREAKER_WORDS[row.breaker],
    row.pauses ? "pauses" : "",
    row.alerts ? "yes" : "",
    row.action,
  ]);
  return [
    GENERATED,
    "",
    "# Causes",
    "",
    "Why an attempt did not end well, and what follows. A row of [provider-replies.md](provider-replies.md) may narrow the",
    "scope: a failure that is one recipient's never counts for the breaker.",
    "",
    table(["Cause", "Meaning", "Outcome", "Scope", "Breaker", "Gate", "Alert", "Then"], rows),
    "",
  ].join("\n");
}

const BREAKER_WORDS: Readonly<Record<CauseRow["breaker"], string>> = {
  failure: "counts as a failure",
  success: "counts as a success",
  none: "does not count",
  trip: "opens at once",
};

const REPLY_HEADER = ["Rule", "Reply", "Cause", "Means", "To mend it", "Source"];

function replyRow(rule: Rule): readonly string[] {
  return [
    `\`${rule.id}\``,
    conditionWords(rule.when),
    verdictWords(rule),
    rule.meaning,
    escapeCell(rule.remedy ?? ""),
    escapeCell(rule.source),
  ];
}

function verdictWords({ cause, scope, elsewhere, retryAfterMs }: Rule): string {
  const details = [
    scope === undefined || scope === CAUSES[cause].scope ? null : `this ${scope} only`,
    elsewhere === true ? "worth another provider" : null,
    retryAfterMs === undefined ? null : `wait ${formatDuration(retryAfterMs)}`,
  ].filter((detail) => detail !== null);
  return [`\`${cause}\``, ...details].join(", ");
}

function conditionWords(when: Condition): string {
  const parts = [
    list("HTTP", when.httpStatus),
    list("AADSTS", when.aadsts),
    list("", replyCodes(when.replyCode)),
    list("", when.status),
    list("", when.errorCode),
    when.field === undefined ? null : `field ${code(String(when.field))}`,
    when.text === undefined ? null : code(String(when.text)),
    list("at", when.stage),
  ];
  return parts.filter((part) => part !== null).join(" ");
}

/** A hundred codes in a row are a class: "4xx". */
function replyCodes(codes: Condition["replyCode"]): string | readonly number[] | undefined {
  if (codes === undefined || typeof codes === "number") return codes === undefined ? undefined : [codes];
  return codes.length === 100 ? `${Math.floor((codes[0] ?? 0) / 100)}xx` : codes;
}

function list(label: string, values: string | number | readonly (string | number)[] | undefined): string | null {
  if (values === undefined) return null;
  return `${label} ${[values].flat().map(String).join(", ")}`.trim();
}

/** The rows of a kind that no later one has. */
function ownRules(kinds: readonly RuleSet[], index: number): readonly Rule[] {
  const later = new Set(kinds.slice(index + 1).flatMap(({ rules }) => rules));
  return kinds[index]?.rules.filter((rule) => !later.has(rule)) ?? [];
}

function shares(rules: readonly Rule[], others: readonly Rule[]): boolean {
  const known = new Set(others);
  return rules.some((rule) => known.has(rule));
}

/** Code in a cell of a table: a bar would end the cell, also inside code. */
function code(text: string): string {
  return `\`${text.replaceAll("|", "\\|")}\``;
}

/** Text in a cell: braces and angles stay words, a bar does not end the cell. */
function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
