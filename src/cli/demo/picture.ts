import type { BreakerState } from "../../core/index.ts";
import type { Summary } from "./tally.ts";

/** What the live picture shows, at one moment. */
export type Moment = {
  readonly title: string;
  readonly broken: boolean;
  /** 0 to 1. */
  readonly progress: number;
  readonly providers: readonly {
    readonly name: string;
    readonly server: string;
    readonly state: BreakerState;
    readonly paused: boolean;
  }[];
  readonly summary: Summary;
};

const BAR_WIDTH = 48;
const NAMES: Record<string, string> = { exchange: "Microsoft 365", sendgrid: "SendGrid", relay: "relay" };

/** The picture as lines of text, without colours. */
export function picture({ title, broken, progress, providers, summary }: Moment): string[] {
  const filled = Math.round(BAR_WIDTH * Math.min(1, progress));
  const bar = `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)}`;
  const rows = providers.map(({ server, state, paused }) => {
    const gate = state === "closed" ? (paused ? "paused" : "open for mail") : `breaker ${state}`;
    const count = String(summary.byServer[server] ?? 0).padStart(5);
    return `  ${(NAMES[server] ?? server).padEnd(14)} ${count} accepted   ${gate}`;
  });
  return [
    `${bar} ${Math.round(Math.min(1, progress) * 100)} %`,
    `${broken ? "✗" : "✓"} ${title}`,
    ...rows,
    `  ${"sent".padEnd(14)} ${String(summary.sent).padStart(5)}            ${summary.lost} on their way`,
  ];
}

/** The end of the demo in plain words. */
export function summaryLines({ sent, byServer, lost, duplicates, longestMs }: Summary): string[] {
  const shares = Object.entries(byServer).map(([server, count]) => `${NAMES[server] ?? server} ${count}`);
  return [
    `sent           ${sent}`,
    `relayed by     ${shares.join(", ")}`,
    `lost           ${lost}`,
    `duplicates     ${duplicates}`,
    `longest delay  ${(longestMs / 1000).toFixed(1)} s`,
  ];
}
