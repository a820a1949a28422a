import { setTimeout as sleep } from "node:timers/promises";
import type { RelayServer } from "../../src/lab/index.ts";
import { percentile } from "../statistics.ts";
import type { Outage } from "./faults.ts";

const WARM_UP_MS = 3_000;
export const BROKEN_MS = 17_000;

/** Longest wait for the primary to have all of its mail again; and how long it must have had all of it. */
const LONGEST_WAY_BACK_MS = 90_000;
const ALL_AGAIN_MS = 3_000;

/** Longest wait for the last messages after that. */
const SETTLE_MS = 150_000;

export type Servers = { readonly primary: RelayServer; readonly fallback: RelayServer };

export type Load = {
  readonly ratePerSecond: number;
  readonly push: (message: object) => Promise<unknown> | void;
  /** Whether nothing is under way or waits any more. */
  readonly settled: () => Promise<boolean>;
  /** Whether messages are pushed on after the primary's return, until it has all of them again. */
  readonly followsBack: boolean;
};

type Pushed = { readonly subject: string; readonly at: number };
type Arrival = { readonly server: keyof Servers; readonly at: number };

/** What became of all messages. Instants are epoch milliseconds. */
export type Course = {
  readonly pushed: readonly Pushed[];
  readonly brokenAt: number;
  readonly returnedAt: number;
  /** By subject: where it was accepted, once for each copy. */
  readonly arrivals: ReadonlyMap<string, readonly Arrival[]>;
};

export type Figures = {
  readonly pushedCount: number;
  readonly lostCount: number;
  readonly copyCount: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
};

/** Pushes messages at a steady rate, breaks the primary for a while, and waits for the end of all of them. */
export async function runCourse(outage: Outage, servers: Servers, load: Load): Promise<Course> {
  const pushed: Pushed[] = [];
  const pushOne = async (): Promise<void> => {
    const subject = `${outage.name} ${pushed.length}`;
    pushed.push({ subject, at: Date.now() });
    await load.push({ from: "bench@contoso.example", to: "ann@example.org", subject, text: "x".repeat(1_000) });
  };
  const run = async (durationMs: number, isEnough = () => false): Promise<void> => {
    const startedAt = Date.now();
    // One that takes long does not hold up the next: an app's requests do not wait for one another.
    const pushes: Promise<void>[] = [];
    while (Date.now() - startedAt < durationMs && !isEnough()) {
      pushes.push(pushOne());
      await sleep(Math.max(0, startedAt + (pushes.length * 1000) / load.ratePerSecond - Date.now()));
    }
    await Promise.all(pushes);
  };

  await run(WARM_UP_MS);
  await servers.primary.setFault(outage.fault);
  const brokenAt = Date.now();
  await run(BROKEN_MS);
  await servers.primary.setFault(null);
  const returnedAt = Date.now();
  if (load.followsBack) {
    const back = new WayBack(servers, returnedAt);
    await run(LONGEST_WAY_BACK_MS, () => back.isOver());
    back.close();
  }

  const deadline = Date.now() + SETTLE_MS;
  while (Date.now() < deadline && !(arrivalsAt(servers).size === pushed.length && (await load.settled()))) {
    await sleep(250);
  }
  return { pushed, brokenAt, returnedAt, arrivals: arrivalsAt(servers) };
}

/** Times, from pushed to accepted, are of messages pushed while it was broken, less those that `isLeftOut` names. */
export function figuresOf({ pushed, arrivals, brokenAt, returnedAt }: Course, isLeftOut: (subject: string) => boolean) {
  const timesMs = pushed.flatMap(({ subject, at }) => {
    const found = arrivals.get(subject);
    if (at < brokenAt || at >= returnedAt || found === undefined || isLeftOut(subject)) return [];
    return [Math.max(0, Math.min(...found.map((arrival) => arrival.at)) - at)];
  });
  return {
    pushedCount: pushed.length,
    lostCount: pushed.length - arrivals.size,
    copyCount: [...arrivals.values()].reduce((sum, { length }) => sum + length - 1, 0),
    p50Ms: percentile(timesMs, 50),
    p99Ms: percentile(timesMs, 99),
    longestMs: Math.max(...timesMs),
  } satisfies Figures;
}

/**
 * Time from the primary's return to the last message that was pushed after it and went elsewhere, and so until it had all
 * of its mail again. NaN where it never had.
 */
export function wayBackMs({ pushed, arrivals, returnedAt }: Course): number {
  const after = pushed.filter(({ at }) => at >= returnedAt);
  const isElsewhere = ({ subject }: Pushed): boolean =>
    arrivals.get(subject)?.every(({ server }) => server !== "primary") ?? true;
  const last = after.findLast(isElsewhere);
  const end = after.at(-1);
  if (end === undefined || (last !== undefined && end.at - last.at < ALL_AGAIN_MS / 2)) return Number.NaN;
  return (last?.at ?? returnedAt) - returnedAt;
}

/** Over once the fallback has had nothing for a while, and the primary has. */
class WayBack {
  readonly #since: number;
  readonly #ends: (() => void)[];
  #primaryHasMail = false;
  #fallbackAt: number;

  constructor({ primary, fallback }: Servers, since: number) {
    this.#since = since;
    this.#fallbackAt = since;
    this.#ends = [
      primary.onAccepted(() => void (this.#primaryHasMail = true)),
      fallback.onAccepted(({ acceptedAt }) => void (this.#fallbackAt = acceptedAt)),
    ];
  }

  isOver(): boolean {
    return this.#primaryHasMail && Date.now() - Math.max(this.#since, this.#fallbackAt) > ALL_AGAIN_MS;
  }

  close(): void {
    for (const end of this.#ends) end();
  }
}

function arrivalsAt(servers: Servers): Map<string, Arrival[]> {
  const arrivals = new Map<string, Arrival[]>();
  for (const server of ["primary", "fallback"] as const) {
    for (const { content, acceptedAt } of servers[server].accepted) {
      const subject = /^Subject: (.*)$/m.exec(content.toString("latin1"))?.[1]?.trim() ?? "";
      arrivals.set(subject, [...(arrivals.get(subject) ?? []), { server, at: acceptedAt }]);
    }
  }
  return arrivals;
}
