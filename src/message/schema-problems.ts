import type { z } from "zod";

import { fieldName } from "./problem.ts";
import type { Report } from "./problem.ts";
import { messageSchema } from "./schema.ts";

type Issue = z.core.$ZodIssue;

/** Fields whose values hold no content, so that a bad one may be shown. */
const shownFields = new Set(["class", "expiresAt", "sendAt", "onUncertain", "whenThrottled", "tenant", "providers"]);

const units: Record<string, string> = { string: "characters", array: "items" };

const typeNames: Record<string, string> = {
  string: "a string",
  boolean: "true or false",
  number: "a number",
  int: "a whole number",
  array: "a list",
  object: "an object",
  record: "an object",
};

/** Reports what the schema found, in the words of the other problems. Returns the top-level fields it was found in. */
export function reportIssues(issues: readonly Issue[], data: unknown, report: Report): Set<string> {
  const fields = new Set<string>();
  for (const issue of issues.flatMap((issue) => narrow(issue, []))) {
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) {
        fields.add(String(issue.path[0] ?? key));
        report(fieldName([...issue.path, key]), `is not a known field${suggestion(issue.path, key)}`);
      }
      continue;
    }
    const top = String(issue.path[0] ?? "");
    fields.add(top);
    const value = shownFields.has(top) ? valueAt(data, issue.path) : undefined;
    report(fieldName(issue.path), ruleOf(issue), typeof value === "object" ? undefined : value);
  }
  return fields;
}

/** A union fails as a whole; where one branch is of the right type, what is wrong inside it says more. */
function narrow(issue: Issue, parentPath: readonly PropertyKey[]): Issue[] {
  const path = [...parentPath, ...issue.path];
  if (issue.code !== "invalid_union") return [{ ...issue, path }];
  const fitting = issue.errors.filter((branch) => !branch.some((inner) => isMismatch(inner)));
  const [branch] = fitting;
  return fitting.length === 1 && branch !== undefined
    ? branch.flatMap((inner) => narrow(inner, path))
    : [{ ...issue, path }];
}

/** Whether a branch of a union was not meant at all: it wanted another type, or one of a few words. */
function isMismatch(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === "invalid_union") return issue.errors.every((branch) => branch.some(isMismatch));
  return issue.code === "invalid_type" || issue.code === "invalid_value";
}

function ruleOf(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined && issue.message.includes("undefined")
        ? "is missing"
        : `is not ${typeNames[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `is not ${orList(issue.values.map(String))}`;
    case "invalid_format":
      return "is not an instant with its zone, such as 2026-01-31T09:00:00+09:00";
    case "too_small":
      if (issue.origin === "string" || issue.origin === "array") {
        return issue.minimum === 1 ? "is empty" : `has fewer than ${issue.minimum} ${units[issue.origin]}`;
      }
      return String(issue.path[0]).endsWith("At")
        ? "is before 2001: give milliseconds since 1970, not seconds"
        : `is below ${issue.minimum}`;
    case "too_big": {
      const unit = units[issue.origin];
      return unit === undefined ? `is above ${issue.maximum}` : `has more than ${issue.maximum} ${unit}`;
    }
    case "invalid_union":
      return `is not ${orList([...new Set(wantedBy(issue))])}`;
    default:
      return "is malformed";
  }
}

/** What the branches of a union would have taken. */
function wantedBy(issue: Issue): string[] {
  if (issue.code === "invalid_union") return issue.errors.flatMap((branch) => branch.slice(0, 1).flatMap(wantedBy));
  if (issue.path.length > 0) return ["an object"];
  if (issue.code === "invalid_value") return issue.values.map(String);
  return [ruleOf(issue).replace(/^is not /, "")];
}

function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function suggestion(path: readonly PropertyKey[], key: string): string {
  if (path.length > 0) return "";
  const plain = key.toLowerCase().replace(/[-_]/g, "");
  const known = Object.keys(messageSchema.shape).find((field) => field.toLowerCase() === plain);
  return known === undefined ? "" : `: did you mean ${known}?`;
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return value;
}
