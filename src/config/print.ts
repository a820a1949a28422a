import { formatDuration } from "./duration.ts";
import { redact } from "./redact.ts";
import type { IsSecret } from "./redact.ts";
import type { Config } from "./schema.ts";
import { formatPath } from "./tree.ts";
import type { Path } from "./tree.ts";
import { asWritten } from "./written.ts";

export type PrintOptions = {
  /** `text`: a line each. `json`: an object of `{ value, source }` by setting. */
  readonly format: "text" | "json";
  readonly isSecret: IsSecret;
};

/** Where a setting came from that no file and no variable sets. */
const OWN_DEFAULT = "default";

/** The configuration in force, each setting with the file or variable it came from; secrets hidden. */
export function printConfig(config: Config, sources: ReadonlyMap<string, string>, options: PrintOptions): string {
  const rows = asWritten(config).map(({ path, value }) => ({
    setting: formatPath(path),
    value: redact(value, path, options.isSecret),
    note: noteOf(path, value),
    source: sources.get(formatPath(path)) ?? OWN_DEFAULT,
  }));
  if (options.format === "json") {
    const entries = rows.map(({ setting, value, source }) => [setting, { value, source }] as const);
    return JSON.stringify(Object.fromEntries(entries), null, 2);
  }
  const lines = rows.map((row) => [row.setting, `${asText(row.value)}${row.note}`, row.source] as const);
  const widths = [0, 1].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map(([setting, value, source]) => `${setting.padEnd(widths[0] ?? 0)}  ${value.padEnd(widths[1] ?? 0)}  ${source}`)
    .join("\n");
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Milliseconds are hard to read. */
function noteOf(path: Path, value: unknown): string {
  return path.at(-1)?.endsWith("Ms") && typeof value === "number" && value >= 1000 ? ` (${formatDuration(value)})` : "";
}
