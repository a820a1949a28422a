import { Metrics } from "../telemetry/metrics.ts";
import { table } from "./table.ts";

/** The table of `docs/metrics.md`: every metric of a gateway's own. */
export async function renderMetrics(): Promise<string> {
  const metrics = await new Metrics(() => []).describe();
  const rows = metrics.map(({ name, type, labels, help }) => {
    return [`\`${name}\``, type, labels.map((label) => `\`${label}\``).join(", "), help];
  });
  return `${table(["metric", "type", "labels", "means"], rows)}\n`;
}
