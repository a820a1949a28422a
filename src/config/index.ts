/** Reading, checking and showing the configuration. */
export { checkConfig } from "./check.ts";
export type { CheckResult } from "./check.ts";
export { formatDuration, parseDuration } from "./duration.ts";
export { loadConfig } from "./load.ts";
export type { LoadOptions, LoadResult } from "./load.ts";
export { printConfig } from "./print.ts";
export { EX_CONFIG, formatProblem, formatProblems } from "./problem.ts";
export type { ConfigProblem } from "./problem.ts";
export { HIDDEN, redact, redactText } from "./redact.ts";
export type { IsSecret } from "./redact.ts";
export { renderSettings } from "./reference.ts";
export type { Config, ProviderConfig } from "./schema.ts";
