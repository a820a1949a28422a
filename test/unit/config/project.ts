import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { formatProblems, loadConfig } from "../../../src/config/index.ts";
import type { LoadResult } from "../../../src/config/index.ts";
import { definitions } from "./definitions.ts";

/** A working directory with these files, gone after the test. */
export function project(files: Readonly<Record<string, string>>): string {
  const cwd = mkdtempSync(join(tmpdir(), "mailover-config-"));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, path)), { recursive: true });
    writeFileSync(join(cwd, path), text);
  }
  return cwd;
}

/** The least that a deployment has to say. */
export const RELAY = "providers: { relay: { kind: relay, host: smtp.example.jp } }\n";

export function load(files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}): LoadResult {
  return loadConfig({ env, cwd: project(files), definitions });
}

/** As `load`, where it must succeed. */
export function loaded(
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): LoadResult & { ok: true } {
  const result = load(files, env);
  if (!result.ok) throw new Error(formatProblems(result.errors));
  return result;
}

/** As `load`, where it must fail: the errors as people see them. */
export function errorsOf(
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): readonly string[] {
  const result = load(files, env);
  if (result.ok) throw new Error("nothing was found wrong");
  return formatProblems(result.errors).split("\n");
}
