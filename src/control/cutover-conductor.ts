import type { Emit } from "../core/index.ts";
import type { RedisClient } from "../redis/connection.ts";
import { ChangeLog } from "./change-log.ts";
import type { Draft } from "./change.ts";
import { readFigures } from "./cutover-figures.ts";
import { advance, percentOf } from "./cutover.ts";
import type { Cutover } from "./cutover.ts";
import { LEASE_KEY } from "./keys.ts";
import { LEAD } from "./scripts.ts";
import type { ControlState } from "./state.ts";

export type CutoverConductorParts = {
  readonly redis: RedisClient;
  /** As this worker knows it now. */
  readonly state: () => ControlState;
  /** This worker, as the control log names it. No two workers have the same. */
  readonly name: string;
  readonly emit: Emit;
  /** Told once each time that Redis does not answer any more. */
  readonly onError: (error: Error) => void;
};

type Scripted = RedisClient & { controlLead(...args: (string | number)[]): Promise<[now: string, isMine: number]> };

const TICK_MS = 1_000;

/** A worker that is gone has another one take over after this. */
const LEASE_MS = 5_000;

/**
 * Moves cutovers on. One worker does, by a lease; should two ever hold it, each step is still made once, since it is
 * appended to the log on the version it was decided on. While no cutover is under way it asks Redis for nothing.
 */
export class CutoverConductor {
  readonly #parts: CutoverConductorParts;
  readonly #redis: Scripted;
  readonly #log: ChangeLog;
  #timer: NodeJS.Timeout | null = null;
  #ticking: Promise<void> | null = null;
  #isTroubled = false;
  #isStopped = false;

  constructor(parts: CutoverConductorParts) {
    parts.redis.defineCommand("controlLead", { numberOfKeys: 1, lua: LEAD });
    this.#parts = parts;
    this.#redis = parts.redis as Scripted;
    this.#log = new ChangeLog(parts.redis);
  }

  start(): void {
    this.#timer = setInterval(() => void this.tick(), TICK_MS).unref();
  }

  /** What it is about to write may still be written: it is as good as written before. */
  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Looks at each cutover once. Never rejects. */
  tick(): Promise<void> {
    this.#ticking ??= this.#look().finally(() => {
      this.#ticking = null;
    });
    return this.#ticking;
  }

  async #look(): Promise<void> {
    const state = this.#parts.state();
    const running = Object.values(state.cutovers).filter(({ phase }) => phase === "running");
    if (running.length === 0 || this.#isStopped) return;
    try {
      const [now, isMine] = await this.#redis.controlLead(LEASE_KEY, this.#parts.name, LEASE_MS);
      this.#isTroubled = false;
      if (isMine !== 1) return;
      for (const cutover of running) {
        const next = advance(cutover, await readFigures(this.#redis, cutover), Number(now));
        // One change at a time: the others are looked at again once this worker knows of it.
        if (next !== cutover) return await this.#write(next, state.version);
      }
    } catch (error) {
      if (!this.#isTroubled && !this.#isStopped) this.#parts.onError(error as Error);
      this.#isTroubled = true;
    }
  }

  async #write(next: Cutover, version: number): Promise<void> {
    const change = await this.#log.append(draftOf(next, this.#parts.name), version);
    if (change === null) return;
    const { phase, note: reason, plan } = next;
    if (phase === "stopped") return;
    this.#parts.emit({ type: "cutover.stepped", to: plan.to, percent: percentOf(next), state: phase, reason });
  }
}

function draftOf(next: Cutover, by: string): Draft {
  const { plan, step, note: reason, phase } = next;
  const action =
    phase === "rolled back" ? "cutover.rolled-back" : phase === "done" ? "cutover.done" : "cutover.stepped";
  return { action, by, reason, provider: plan.to, step, percent: percentOf(next) };
}
