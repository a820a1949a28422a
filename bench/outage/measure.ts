import { setTimeout as sleep } from "node:timers/promises";
import type { RelayServer } from "../../src/lab/index.ts";
import { percentile } from "../statistics.ts";
import type { Outage } from "./faults.ts";

export const RATE_PER_SECOND = 20;
export const WARM_UP_MS = 3_000;
export const BROKEN_MS = 17_000;

/** Longest wait for the last messages after the primary is back. */
const SETTLE_MS = 150_000;

export type Result = {
  readonly pushed: number;
  readonly lost: number;
  readonly copies: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
};

type Pushed = { readonly subject: string; readonly at: number };

/**
 * Pushes messages at a steady rate, breaks the primary for a while, and counts what the servers accepted. Times are of
 * messages pushed while it was broken, less those that `uncertain` names: their content had gone out. Copies are counted
 * once `settled` says that nothing is under way or waits any more.
 */
export async function measure(
  outage: Outage,
  servers: { readonly primary: RelayServer; readonly fallback: RelayServer },
  push: (message: object) => Promise<unknown> | void,
  uncertain: (subject: string) => boolean,
  settled: () => Promise<boolean>,
): Promise<Result> {
  const pushed: Pushed[] = [];
  const pushOne = async (): Promise<void> => {
    const subject = `${outage.name} ${pushed.length}`;
    pushed.push({ subject, at: Date.now() });
    await push({ from: "bench@contoso.example", to: "ann@example.org", subject, text: "x".repeat(1_000) });
  };
  const run = async (durationMs: number): Promise<Pushed[]> => {
    const first = pushed.length;
    const startedAt = Date.now();
    for (let count = 1; Date.now() - startedAt < durationMs; count += 1) {
      await pushOne();
      await sleep(Math.max(0, startedAt + (count * 1000) / RATE_PER_SECOND - Date.now()));
    }
    return pushed.slice(first);
  };

  await run(WARM_UP_MS);
  servers.primary.setFault(outage.fault);
  const whileBroken = await run(BROKEN_MS);
  servers.primary.setFault(null);

  const deadline = Date.now() + SETTLE_MS;
  while (Date.now() < deadline && !(acceptedAt(servers).size === pushed.length && (await settled()))) await sleep(100);
  const accepted = acceptedAt(servers);
  const timesMs = whileBroken.flatMap(({ subject, at }) => {
    const times = accepted.get(subject);
    return times === undefined || uncertain(subject) ? [] : [Math.max(0, Math.min(...times) - at)];
  });
  const copies = [...accepted.values()].reduce((sum, times) => sum + times.length - 1, 0);
  return {
    pushed: pushed.length,
    lost: pushed.length - accepted.size,
    copies,
    p50Ms: percentile(timesMs, 50),
    p99Ms: percentile(timesMs, 99),
    longestMs: Math.max(...timesMs),
  };
}

/** When each message, by its subject, was accepted anywhere: once for each copy. */
function acceptedAt({ primary, fallback }: { primary: RelayServer; fallback: RelayServer }): Map<string, number[]> {
  const times = new Map<string, number[]>();
  for (const { content, acceptedAt } of [...primary.accepted, ...fallback.accepted]) {
    const subject = /^Subject: (.*)$/m.exec(content.toString("latin1"))?.[1]?.trim() ?? "";
    times.set(subject, [...(times.get(subject) ?? []), acceptedAt]);
  }
  return times;
}
