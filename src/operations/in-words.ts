const UNITS: readonly (readonly [unit: string, lengthMs: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
];

/** A time in its largest unit of which there are two or more, rounded: "12 s", "90 s", "45 min", "3 h". */
export function lengthInWords(lengthMs: number): string {
  const [unit, unitMs] = UNITS.find(([, ms]) => lengthMs >= 2 * ms) ?? ["s", 1_000];
  return `${Math.max(0, Math.round(lengthMs / unitMs))} ${unit}`;
}

/** To the second: "2026-11-24T08:13:05Z". */
export function instantInWords(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+/, "");
}

/** "2026-11-24T08:13:05Z (in 12 s)"; "now" where it is there already, or as good as. */
export function whenInWords(at: number, now: number): string {
  return at - now < 500 ? "now" : `${instantInWords(at)} (in ${lengthInWords(at - now)})`;
}

/** "12 s ago" */
export function agoInWords(at: number, now: number): string {
  return `${lengthInWords(now - at)} ago`;
}

/** "10,000" */
export function countInWords(count: number): string {
  return count.toLocaleString("en-US");
}

/** Word for word, but a line is a line. */
export function oneLine(text: string): string {
  return text.trim().replace(/\s*[\r\n]+\s*/g, " ");
}
