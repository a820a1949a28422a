import { providerDefinitions } from "../../providers/index.ts";
import { EX_CONFIG, formatProblem, formatProblems, loadConfig } from "../config/index.ts";
import type { LoadResult } from "../config/index.ts";
import { Log } from "../telemetry/log.ts";

export type Loaded = Extract<LoadResult, { ok: true }>;

export function environmentName(): string {
  return process.env["NODE_CONFIG_ENV"] ?? process.env["NODE_ENV"] ?? "development";
}

/** Reads the configuration, or says what is wrong with it and ends with code 78. Warnings go to standard error. */
export function loadOrExit(): Loaded {
  const result = loadConfig({ env: process.env, cwd: process.cwd(), definitions: providerDefinitions });
  for (const warning of result.warnings) process.stderr.write(`warning: ${formatProblem(warning)}\n`);
  if (result.ok) return result;
  process.stderr.write(`${formatProblems(result.errors)}\n`);
  process.exit(EX_CONFIG);
}

export function logOf({ config }: Loaded): Log {
  return new Log(config.log);
}
