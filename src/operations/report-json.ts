/** A report as JSON: instants, which are epoch milliseconds under names such as `untilAt`, as ISO 8601 in UTC. */
export function reportJson(report: object): string {
  const instantOf = (key: string, value: unknown): unknown =>
    typeof value === "number" && /^(?:now|at)$|At$/.test(key) ? new Date(value).toISOString() : value;
  return JSON.stringify(report, instantOf, 2);
}
