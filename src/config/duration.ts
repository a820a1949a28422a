const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** What a duration may look like, for error texts. */
export const DURATION_FORM = 'milliseconds, or a number and ms, s, m, h or d such as "30s"';

/** Reads "250ms", "30s", "10m", "72h", "7d" or plain milliseconds ("5000"). Null where the text is none of these. */
export function parseDuration(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(text.trim());
  const unitMs = UNITS_MS[match?.[2] ?? "ms"];
  return match === null || unitMs === undefined ? null : Number(match[1]) * unitMs;
}

/** The shortest exact text of a duration: 90000 as "90s", 3600000 as "1h". */
export function formatDuration(durationMs: number): string {
  const units = Object.entries(UNITS_MS).toReversed();
  const [unit, unitMs] = units.find(([, size]) => durationMs >= size && durationMs % size === 0) ?? ["ms", 1];
  return `${durationMs / unitMs}${unit}`;
}

/** A duration that could not be read, and where it stands. */
export type BadDuration = { readonly path: readonly string[]; readonly text: string };

/**
 * A copy of a settings tree in which every text under a key that ends in `Ms` is milliseconds. One rule for all
 * settings, a provider's too, so that their schemas know numbers only. Texts that are no durations stay and are named.
 */
export function readDurations(tree: unknown): { readonly tree: unknown; readonly bad: readonly BadDuration[] } {
  const bad: BadDuration[] = [];
  const read = (value: unknown, path: readonly string[], isDuration: boolean): unknown => {
    if (Array.isArray(value)) return value.map((entry, index) => read(entry, [...path, String(index)], isDuration));
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(
        Object.entries(value).map(([key, child]) => [key, read(child, [...path, key], key.endsWith("Ms"))]),
      );
    }
    if (!isDuration || typeof value !== "string") return value;
    const durationMs = parseDuration(value);
    if (durationMs === null) bad.push({ path, text: value });
    return durationMs ?? value;
  };
  return { tree: read(tree, [], false), bad };
}
