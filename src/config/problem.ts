import { formatPath } from "./tree.ts";
import type { Path } from "./tree.ts";

/** Exit code of a process that cannot start for its configuration (EX_CONFIG of BSD's sysexits.h). */
export const EX_CONFIG = 78;

/** What is wrong with one setting, file or variable. Holds no secret. */
export type ConfigProblem = {
  /** The file (with line and column for a syntax error) or variable it stands in. */
  readonly source: string;
  /** The setting; empty where the file as a whole is meant. */
  readonly path: Path;
  /** The value and the rule it breaks: `120 is above 100`. */
  readonly text: string;
};

/** `config/production.yaml: breaker.openAtPercent: 120 is above 100` */
export function formatProblem({ source, path, text }: ConfigProblem): string {
  return [source, ...(path.length === 0 ? [] : [formatPath(path)]), text].join(": ");
}

/** One line each. */
export function formatProblems(problems: readonly ConfigProblem[]): string {
  return problems.map(formatProblem).join("\n");
}
