import type { Clock } from "../../core/index.ts";

/** This process's right to one connection. */
export type Lease = { readonly name: string };

type Held = Lease & { isBusy: boolean; usedAt: number; isLeaving: boolean };

/** One that is given up for others was of no use for this long at least. */
const SPARE_MS = 1_000;

/**
 * The connections to one provider that this process may have open. Attempts take one each; a pool of connections keeps
 * them open after an attempt, and so a right to one is given back only once it was not used for `idleMs`. Like the pool,
 * it takes the one used last, so that those in excess grow old.
 */
export class ConnectionLeases {
  readonly #worker: string;
  readonly #idleMs: number;
  readonly #clock: Clock;
  #held: Held[] = [];
  #madeCount = 0;

  /** `worker`: no other process may have this name, and no earlier one. */
  constructor(worker: string, idleMs: number, clock: Clock) {
    this.#worker = worker;
    this.#idleMs = idleMs;
    this.#clock = clock;
  }

  get count(): number {
    return this.#held.length;
  }

  /** For an attempt: one that is held and free, or a new one that the store has yet to grant. */
  take(): Lease {
    const free = this.#held.filter(({ isBusy, isLeaving }) => !isBusy && !isLeaving);
    const latest = free.toSorted((a, b) => a.usedAt - b.usedAt).at(-1);
    if (latest !== undefined) {
      latest.isBusy = true;
      return latest;
    }
    this.#madeCount += 1;
    return { name: `${this.#worker}#${this.#madeCount}` };
  }

  /** The store granted it: it is held from now on. */
  granted(lease: Lease): void {
    if (this.#find(lease) !== undefined) return;
    this.#held.push({ name: lease.name, isBusy: true, usedAt: this.#clock(), isLeaving: false });
  }

  /** It is held no more. The store refuses also one that was held, where it ran out while Redis was away. */
  refused(lease: Lease): void {
    this.#held = this.#held.filter(({ name }) => name !== lease.name);
  }

  /** No attempt was made with it. */
  untouched(lease: Lease): void {
    const held = this.#find(lease);
    if (held !== undefined) held.isBusy = false;
  }

  /** The attempt is over. Returns whether its connection is closed by now, and so is not held any more. */
  ended(lease: Lease): boolean {
    const held = this.#find(lease);
    if (held === undefined) return false;
    held.isBusy = false;
    held.usedAt = this.#clock();
    if (this.#idleMs > 0) return false;
    this.refused(lease);
    return true;
  }

  /**
   * Another process needs one: the one that was not used for longest is not used again, if it can be spared. The last one
   * never is: who has mail for it now and then would wait for it in turn.
   */
  spareOne(): void {
    const now = this.#clock();
    const staying = this.#held.filter(({ isLeaving }) => !isLeaving);
    const idle = staying.filter(({ isBusy, usedAt }) => !isBusy && now - usedAt >= SPARE_MS);
    const oldest = idle.toSorted((a, b) => a.usedAt - b.usedAt)[0];
    if (oldest !== undefined && staying.length > 1) oldest.isLeaving = true;
  }

  /** Drops those whose connection is closed by now. Returns what is kept and what was dropped. */
  sweep(): { readonly kept: readonly string[]; readonly dropped: readonly string[] } {
    const now = this.#clock();
    const [kept, dropped]: [Held[], Held[]] = [[], []];
    for (const held of this.#held) (held.isBusy || now - held.usedAt < this.#idleMs ? kept : dropped).push(held);
    this.#held = kept;
    return { kept: kept.map(({ name }) => name), dropped: dropped.map(({ name }) => name) };
  }

  /** All connections are closed. */
  clear(): readonly string[] {
    return this.#held.splice(0).map(({ name }) => name);
  }

  #find({ name }: Lease): Held | undefined {
    return this.#held.find((held) => held.name === name);
  }
}
