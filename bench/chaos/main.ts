import { fileURLToPath } from "node:url";
import { formatMs, table } from "../statistics.ts";
import type { Policy } from "./mail.ts";
import { runScenario } from "./run.ts";
import type { Result, RunOptions } from "./run.ts";
import { SCENARIOS } from "./scenarios.ts";

/**
 * Kills gateways and Redis in the middle of their work, and compares what the queue, the ledger and the servers say of each
 * message. `--seed N` makes other messages and other victims, `--only TEXT` picks scenarios by name, `--policy "by class"`
 * or `--policy hold` runs one of the two, `--rate N` messages a second, `--keep` leaves the logs. Exit code 1 when a
 * message was lost, came twice unmarked, or has no end.
 */
const seed = Number(argument("--seed") ?? 1);
const only = argument("--only");
const policies = (["by class", "hold"] as const).filter((policy) => (argument("--policy") ?? policy) === policy);
const ratePerSecond = Number(argument("--rate") ?? 100);
const SHOWN_PROBLEMS = 10;

const options = {
  main: fileURLToPath(new URL("../../src/cli/main.js", import.meta.url)),
  seed,
  gatewayCount: 4,
  durationMs: 20_000,
  ratePerSecond,
  settleMs: 90_000,
  ...(process.argv.includes("--keep") ? { keep: (folder: string) => write(`  logs: ${folder}`) } : {}),
} satisfies Omit<RunOptions, "policy">;

// What it started ends with it.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const rows: string[][] = [
  [
    "scenario",
    "uncertain",
    "pushed",
    "relayed",
    "bounced",
    "held",
    "lost",
    "gone",
    "copies",
    "unmarked",
    "forgotten",
    "marked",
    "longest",
    "",
  ],
];
write(
  `seed ${seed}, ${options.gatewayCount} gateways, ${ratePerSecond} messages a second for ${options.durationMs / 1000} s`,
);
for (const scenario of SCENARIOS.filter(({ name }) => only === null || name.includes(only))) {
  for (const policy of policies) {
    write(`… ${scenario.name}, ${policy}`);
    const result = await runScenario(scenario, { ...options, policy });
    const violations = violationsOf(result, policy, scenario.redisMayForget === true);
    for (const problem of result.problems.slice(0, SHOWN_PROBLEMS)) write(`  ${problem}`);
    if (violations.length > 0) process.exitCode = 1;
    rows.push(row(scenario.name, policy, result, violations));
  }
}
write(`\n${table(rows)}`);

function violationsOf(result: Result, policy: Policy, redisMayForget: boolean): string[] {
  const heldCopyCount = result.copyCount - result.forgottenCopyCount;
  return [
    ...(result.goneCount > 0 && !redisMayForget ? [`${result.goneCount} gone`] : []),
    ...(result.problems.length > 0 ? [`${result.problems.length} contradictions`] : []),
    ...(policy === "hold" && heldCopyCount > 0 ? [`${heldCopyCount} copies of held mail`] : []),
  ];
}

function row(name: string, policy: Policy, result: Result, violations: readonly string[]): string[] {
  const { endCounts } = result;
  const notes = [
    violations.length === 0 ? "ok" : `MISSED: ${violations.join(", ")}`,
    ...(result.killedCount > 0 ? [`${result.killedCount} killed`] : []),
    ...((endCounts["expired"] ?? 0) > 0 ? [`${endCounts["expired"]} expired`] : []),
    ...(result.forgottenMs.length > 0 ? [`Redis forgot ${result.forgottenMs.map(formatMs).join(" and ")}`] : []),
    ...(result.goneAndRelayedCount > 0 ? [`${result.goneAndRelayedCount} of the gone relayed before`] : []),
    ...(result.withoutJobCount > 0 ? [`${result.withoutJobCount} ended without their job`] : []),
  ];
  const counts = [
    result.pushedCount,
    endCounts["relayed"] ?? 0,
    endCounts["bounced"] ?? 0,
    endCounts["held"] ?? 0,
    result.lostCount,
    result.goneCount,
    result.copyCount,
    result.unmarkedCopyCount,
    result.forgottenCopyCount,
    result.markedCount,
  ];
  return [name, policy, ...counts.map(String), formatMs(result.longestMs), notes.join(", ")];
}

function argument(name: string): string | null {
  const index = process.argv.indexOf(name);
  return index < 0 ? null : (process.argv[index + 1] ?? null);
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}
