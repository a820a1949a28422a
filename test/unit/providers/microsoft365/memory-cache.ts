import type { SharedCache } from "../../../../src/core/index.ts";

/** A store that a fleet shares, in this process; it tells the time by `Date.now`. */
export class MemoryCache implements SharedCache {
  readonly values = new Map<string, { readonly value: string; readonly untilAt: number }>();
  readonly leases = new Map<string, number>();
  /** As Redis away: nothing is kept, everybody leads. */
  isAway = false;

  async get(key: string): Promise<{ readonly value: string; readonly ttlMs: number } | null> {
    const found = this.values.get(key);
    const ttlMs = (found?.untilAt ?? 0) - Date.now();
    return this.isAway || found === undefined || ttlMs <= 0 ? null : { value: found.value, ttlMs };
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    if (!this.isAway) this.values.set(key, { value, untilAt: Date.now() + ttlMs });
  }

  async lead(key: string, ttlMs: number): Promise<boolean> {
    if (this.isAway) return true;
    if ((this.leases.get(key) ?? 0) > Date.now()) return false;
    this.leases.set(key, Date.now() + ttlMs);
    return true;
  }
}
