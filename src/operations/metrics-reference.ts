import { Metrics } from "../telemetry/metrics.ts";

/** The table of `docs/metrics.md`: every metric of a gateway's own. */
export async function renderMetrics(): Promise<string> {
  const metrics = await new Metrics(() => []).describe();
  const rows = metrics.map(({ name, type, labels, help }) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(", "),
    help,
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const header = ["metric", "type", "labels", "means"];
  return `${[header, header.map(() => "---"), ...rows].map(line).join("\n")}\n`;
}
