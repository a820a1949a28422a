import type { z } from "zod";

type RawIssue = z.core.$ZodRawIssue;

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a group of settings",
  record: "a group of settings",
};

/** The rule where a group of settings should be. */
export const GROUP_EXPECTED = "is not a group of settings";

const FORMAT_WORDS: Readonly<Record<string, string>> = {
  email: "a mail address",
  url: "a URL",
  guid: "a GUID",
  uuid: "a UUID",
  hostname: "a host name",
};

/**
 * The rule that an issue of zod is about, worded to follow the value: "is above 100". It is given to zod for each parse,
 * so that a schema's own wording goes before it. Undefined leaves zod's words.
 */
export function ruleText(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "is missing" : `is not ${TYPE_WORDS[issue.expected] ?? issue.expected}`;
    case "too_small":
      return sizeText(
        issue.origin,
        Number(issue.minimum),
        issue.inclusive === false ? "is not above" : "is below",
        "at least",
      );
    case "too_big":
      return sizeText(
        issue.origin,
        Number(issue.maximum),
        issue.inclusive === false ? "is not below" : "is above",
        "at most",
      );
    case "invalid_value":
      if (issue.input === undefined) return "is missing";
      return `is not ${issue.values.length > 1 ? "one of " : ""}${issue.values.map(String).join(", ")}`;
    case "invalid_format": {
      const word = FORMAT_WORDS[issue.format];
      return word === undefined ? undefined : `is not ${word}`;
    }
    case "unrecognized_keys":
      return "is not a setting";
    default:
      return undefined;
  }
}

function sizeText(origin: string, bound: number, compare: string, atLeast: string): string {
  if (origin === "string") return `does not have ${atLeast} ${bound} ${bound === 1 ? "character" : "characters"}`;
  if (origin === "array" || origin === "set")
    return `does not have ${atLeast} ${bound} ${bound === 1 ? "entry" : "entries"}`;
  return `${compare} ${bound}`;
}
