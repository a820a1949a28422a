import type { SettingsSchema } from "../core/index.ts";
import { closest } from "./closest.ts";
import { HIDDEN, redactText } from "./redact.ts";
import type { IsSecret } from "./redact.ts";
import { GROUP_EXPECTED, ruleText } from "./rule-text.ts";
import { valueAt } from "./tree.ts";
import type { Path } from "./tree.ts";

/** What is wrong with a setting, before it is known which file or variable it came from. */
export type Finding = {
  readonly path: Path;
  readonly text: string;
  /** Whether it is a setting that is not there, and that a file or a variable can bring. */
  readonly missing: boolean;
};

/** An issue of zod 4. Another schema library has path and message only. */
type Issue = {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly code?: string;
  readonly keys?: readonly string[];
  readonly errors?: readonly (readonly Issue[])[];
  readonly issues?: readonly Issue[];
};

/** zod takes the wording of issues as a second argument; other libraries pass over it. */
type WordedSchema<T> = SettingsSchema<T> & {
  safeParse(value: unknown, context: { error: typeof ruleText }): ReturnType<SettingsSchema<T>["safeParse"]>;
};

export type ParseContext = {
  /** Where `value` stands in the whole. */
  readonly at: Path;
  readonly isSecret: IsSecret;
  /** Paths, below `at`, that exist; to guess what an unknown key means. */
  readonly known: readonly Path[];
};

/** Parses by a schema and words what it finds. */
export function parseSettings<T>(
  schema: SettingsSchema<T>,
  value: unknown,
  context: ParseContext,
): { readonly ok: true; readonly data: T } | { readonly ok: false; readonly findings: readonly Finding[] } {
  const result = (schema as WordedSchema<T>).safeParse(value, { error: ruleText });
  if (result.success) return { ok: true, data: result.data };
  const findings = result.error.issues.flatMap((issue) => findingsOf(issue, [], value, context));
  return { ok: false, findings };
}

function findingsOf(issue: Issue, above: Path, value: unknown, context: ParseContext): readonly Finding[] {
  const below = [...above, ...issue.path.map(String)];
  const path = [...context.at, ...below];
  if (issue.code === "unrecognized_keys") {
    return (issue.keys ?? []).map((key) => ({
      path: [...path, key],
      text: `${issue.message}${suggestion(key, below, context.known)}`,
      missing: false,
    }));
  }
  if (issue.code === "invalid_union" && issue.message === "Invalid input") {
    // The alternative that came furthest is the one that was meant.
    const furthest = (issue.errors ?? []).toSorted((a, b) => depth(b) - depth(a))[0];
    if (furthest !== undefined) return furthest.flatMap((inner) => findingsOf(inner, below, value, context));
  }
  if (issue.code === "invalid_key") {
    const rule = issue.issues?.[0]?.message ?? issue.message;
    return [{ path, text: `the key ${JSON.stringify(path.at(-1))} ${rule}`, missing: false }];
  }
  const found = valueAt(value, below);
  if (found === undefined) {
    const missing = issue.code === "invalid_type" || issue.code === "invalid_value";
    // No variable sets what is inside of a list.
    const settable = missing && !issue.path.some((part) => typeof part === "number");
    return [{ path, text: missing ? "is missing" : issue.message, missing: settable }];
  }
  return [{ path, text: describe(found, path, issue, context.isSecret), missing: false }];
}

function depth(issues: readonly Issue[]): number {
  return Math.max(0, ...issues.map(({ path }) => path.length));
}

/** Wordings that follow a value. */
const FOLLOWS_VALUE = /^(?:is|are|has|does|must|needs|names|holds|cannot|begins|ends)\b/;

/** The value and the rule in one sentence. Groups and lists are named, not shown; a secret is not shown in the rule either. */
function describe(value: unknown, path: Path, { code, message }: Issue, isSecret: IsSecret): string {
  // A key or password written in the place of a whole group is no secret by its path.
  if (message === GROUP_EXPECTED) return `${nounOf(value)} ${message}`;
  if (typeof value === "object") return code === "invalid_type" ? `${nounOf(value)} ${message}` : message;
  const text = String(value);
  const shown = isSecret(path) ? HIDDEN : quote(value);
  const rule = isSecret(path) && text !== "" ? message.replaceAll(text, HIDDEN) : message;
  if (FOLLOWS_VALUE.test(rule)) return `${shown} ${rule}`;
  return rule.includes(text) ? rule : `${rule} (found ${shown})`;
}

/** What kind of value it is, where the value itself is not shown. */
export function nounOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a group of settings" : typeof value === "string" ? "a text" : quote(value);
}

/** A value in a message: text in quotes, without a URL's password, cut after 60 characters. */
export function quote(value: unknown): string {
  if (typeof value !== "string") return String(value);
  const text = redactText(value);
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

/** What an unknown key may mean: a key like it in the same group, else the same key in another group. */
function suggestion(key: string, group: Path, known: readonly Path[]): string {
  const here = known.filter((path) => path.length > group.length && group.every((part, index) => part === path[index]));
  const near = closest(key, [...new Set(here.map((path) => path[group.length] ?? ""))]);
  const elsewhere = known.find((path) => path.at(-1) === key);
  const meant = near ?? elsewhere?.join(".");
  return meant === undefined ? "" : `; did you mean ${meant}?`;
}
