import { SMTP_POINTS } from "./fault.ts";
import type { EntraFault, Fault, HttpFault, SmtpFault } from "./fault.ts";
import { isObject } from "./json-value.ts";
import type { JsonObject } from "./json-value.ts";

/** Which faults a server has. */
export type FaultKind = "smtp" | "http" | "entra";

export type FaultOf = { readonly smtp: SmtpFault; readonly http: HttpFault; readonly entra: EntraFault };

/** A fault, or what is wrong with it: field, value and rule in one sentence. */
export type ParsedFault<F extends Fault> = { readonly fault: F } | { readonly problem: string };

/** Says which rule a value breaks, or null. */
type Rule = (value: unknown) => string | null;
/** Rules by field; a field whose name ends in `?` may be missing. */
type Fields = Readonly<Record<string, Rule>>;

const LIMITS: Fields = { "count?": wholeNumber(1), "share?": numberWithin(0, 1) };
const PATH: Fields = { "path?": text };
const TAKEN: Fields = { "accepted?": yesOrNo };
const POINT = oneOf(SMTP_POINTS);
const POINT_OR_ANY = oneOf([...SMTP_POINTS, "any"]);

const SMTP_FAULTS: Readonly<Record<string, Fields>> = {
  refuse: {},
  silence: { at: POINT_OR_ANY, ...TAKEN, ...LIMITS },
  slow: { delayMs: wholeNumber(0), "at?": POINT, ...LIMITS },
  reply: { at: POINT, text: smtpReply, "close?": yesOrNo, "recipient?": regularExpression, ...LIMITS },
  drop: { at: POINT_OR_ANY, ...TAKEN, ...LIMITS },
  garbage: { at: POINT, ...LIMITS },
};

const HTTP_FAULTS: Readonly<Record<string, Fields>> = {
  refuse: {},
  silence: { ...TAKEN, ...PATH, ...LIMITS },
  slow: { delayMs: wholeNumber(0), ...PATH, ...LIMITS },
  response: {
    status: wholeNumber(200, 599),
    "headers?": textByName,
    "body?": () => null,
    ...TAKEN,
    ...PATH,
    ...LIMITS,
  },
  drop: { ...TAKEN, ...PATH, ...LIMITS },
  garbage: { ...TAKEN, ...PATH, ...LIMITS },
};

const FAULTS: Readonly<Record<FaultKind, Readonly<Record<string, Fields>>>> = {
  smtp: SMTP_FAULTS,
  http: HTTP_FAULTS,
  entra: { ...HTTP_FAULTS, aadsts: { aadsts: wholeNumber(1), ...LIMITS } },
};

/** Reads a fault that came as JSON. */
export function parseFault<K extends FaultKind>(kind: K, value: unknown): ParsedFault<FaultOf[K]> {
  if (!isObject(value)) return { problem: `fault: ${show(value)} is not an object` };
  const kinds = FAULTS[kind];
  const fields =
    typeof value["kind"] === "string" && Object.hasOwn(kinds, value["kind"]) ? kinds[value["kind"]] : undefined;
  if (fields === undefined) {
    return { problem: `fault.kind: ${show(value["kind"])} is none of ${Object.keys(kinds).join(", ")}` };
  }
  const problem = problemIn(value, fields);
  // Checked field by field against the table that mirrors the type.
  return problem === null ? { fault: value as unknown as FaultOf[K] } : { problem };
}

function problemIn(fault: JsonObject, fields: Fields): string | null {
  const known = new Map(Object.entries(fields).map(([name, rule]) => [name.replace("?", ""), rule]));
  for (const name of Object.keys(fault)) {
    if (name === "kind") continue;
    const rule = known.get(name);
    if (rule === undefined) return `fault.${name}: ${fault["kind"]} has no such field`;
    const broken = rule(fault[name]);
    if (broken !== null) return `fault.${name}: ${show(fault[name])} ${broken}`;
  }
  const missing = Object.keys(fields).find((name) => !name.endsWith("?") && fault[name] === undefined);
  return missing === undefined ? null : `fault.${missing}: is missing, ${fault["kind"]} needs it`;
}

function wholeNumber(min: number, max = Infinity): Rule {
  return (value) => {
    if (!Number.isSafeInteger(value)) return "is not a whole number";
    return numberWithin(min, max)(value);
  };
}

function numberWithin(min: number, max: number): Rule {
  return (value) => {
    if (typeof value !== "number") return "is not a number";
    if (value < min) return `is below ${min}`;
    return value > max ? `is above ${max}` : null;
  };
}

function oneOf(words: readonly string[]): Rule {
  return (value) => (words.includes(value as string) ? null : `is none of ${words.join(", ")}`);
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? null : "is not a text";
}

function yesOrNo(value: unknown): string | null {
  return typeof value === "boolean" ? null : "is neither true nor false";
}

function smtpReply(value: unknown): string | null {
  const isReply = typeof value === "string" && /^(?:[2-5]\d\d-[^\r\n]*\r?\n)*[2-5]\d\d(?: [^\r\n]*)?$/.test(value);
  return isReply ? null : 'is no SMTP reply such as "450 4.2.0 Busy"';
}

function regularExpression(value: unknown): string | null {
  if (typeof value !== "string") return "is not a text";
  try {
    void new RegExp(value, "i");
    return null;
  } catch {
    return "is no regular expression";
  }
}

function textByName(value: unknown): string | null {
  return isObject(value) && Object.values(value).every((each) => typeof each === "string")
    ? null
    : "is not an object of texts";
}

function show(value: unknown): string {
  const shown = JSON.stringify(value) ?? "nothing";
  return shown.length > 80 ? `${shown.slice(0, 80)}…` : shown;
}
