/** Why a submission, or one field of it, is refused. Holds no body, no attachment and no value of a header. */
export type Problem = {
  /** Where: `to[0]`, `headers["X-A"]`, `attachments[2].path`. */
  readonly field: string;
  /** The bad value, shortened and quoted; empty where it is not shown. It may be a mail address. */
  readonly value: string;
  /** What is wrong with it, to be read after the field: `is not a mail address`. */
  readonly rule: string;
};

/** Notes a problem. `value` is left out wherever it could hold content. */
export type Report = (field: string, rule: string, value?: unknown) => void;

/** A parsed value, or the rule it breaks. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly rule: string };

const shownLength = 60;

/** Makes a `report` that collects into `problems`. */
export function collect(problems: Problem[]): Report {
  return (field, rule, value) => {
    problems.push({ field, value: value === undefined ? "" : quote(value), rule });
  };
}

/** Whether a problem is about a field or something inside it. */
export function isUnder(problem: Problem, field: string): boolean {
  return problem.field === field || problem.field.startsWith(`${field}.`) || problem.field.startsWith(`${field}[`);
}

/** One readable line: `to[0]: "bob@" is not a mail address; headers["X-A"]: has a line break`. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems
    .map(({ field, value, rule }) => (value === "" ? `${field}: ${rule}` : `${field}: ${value} ${rule}`))
    .join("; ");
}

/** The name of a field inside the data: `envelope.to[1]`, `headers["X-A"]`. */
export function fieldName(path: readonly PropertyKey[]): string {
  let name = "";
  for (const key of path) {
    if (typeof key === "number") name += `[${key}]`;
    else if (/^[A-Za-z_]\w*$/.test(String(key)) && String(key).length <= shownLength) name += `.${String(key)}`;
    else name += `[${quote(String(key))}]`;
  }
  return name.replace(/^\./, "") || "message";
}

/** JSON with line breaks and control characters escaped, so that a value cannot break out of a log line. */
function quote(value: unknown): string {
  if (typeof value !== "string") return shorten(JSON.stringify(value) ?? String(value));
  return JSON.stringify(shorten(value));
}

function shorten(text: string): string {
  return text.length > shownLength ? `${text.slice(0, shownLength)}…` : text;
}
