import type { RedisClient } from "../redis/connection.ts";
import { within } from "../redis/within.ts";
import { NO_FIGURES } from "./cutover.ts";
import type { CutoverFigures } from "./cutover.ts";
import { figuresKey } from "./keys.ts";
import { namesFor } from "./pools.ts";
import type { Pools } from "./pools.ts";
import { COUNT } from "./scripts.ts";
import type { ControlState } from "./state.ts";

/** What became of one message that a cutover moved. */
export type CutoverSample = {
  /** The one that it was moved to; of a pool, the member that had it. */
  readonly provider: string;
  /** False where the provider failed; what a recipient's mailbox or the message itself is refused for is no failure. */
  readonly ok: boolean;
  /** From when it was due until it was accepted, in milliseconds; of one that failed it is not looked at. */
  readonly delayMs: number;
};

type Scripted = RedisClient & { controlCount(...args: (string | number)[]): Promise<number> };

const FLUSH_MS = 1_000;

/** What Redis does not take within this at the end is lost: figures, no mail. */
const STOP_LIMIT_MS = 2_000;

/** The figures of a step are kept this long after the last message of it. */
const KEEP_MS = 7 * 24 * 3_600_000;

/** Counts what becomes of mail that cutovers move. Cheap: a worker adds up in memory, and tells Redis each second. */
export class CutoverMeter {
  readonly #redis: Scripted;
  readonly #state: () => ControlState;
  readonly #pools: Pools;
  /** By key, not in Redis yet: as many as there are cutovers. */
  #pending = new Map<string, CutoverFigures>();
  #timer: NodeJS.Timeout | null = null;
  #flushing: Promise<void> = Promise.resolve();

  /** `state`: as this worker knows it now; `pools`: as it has them configured. */
  constructor(redis: RedisClient, state: () => ControlState, pools: Pools = {}) {
    redis.defineCommand("controlCount", { numberOfKeys: 1, lua: COUNT });
    this.#redis = redis as Scripted;
    this.#state = state;
    this.#pools = pools;
  }

  /** Counts for the step that the cutover is in now; where none is under way, nothing. */
  record({ provider, ok, delayMs }: CutoverSample): void {
    const { cutovers } = this.#state();
    const cutover = namesFor(provider, this.#pools)
      .map((name) => cutovers[name])
      .find((candidate) => candidate?.phase === "running");
    if (cutover === undefined) return;
    const key = figuresKey(cutover.plan.to, cutover.version);
    const { okCount, failedCount, slowCount } = this.#pending.get(key) ?? NO_FIGURES;
    this.#pending.set(key, {
      okCount: okCount + (ok ? 1 : 0),
      failedCount: failedCount + (ok ? 0 : 1),
      slowCount: slowCount + (ok && delayMs > cutover.plan.guardDelayMs ? 1 : 0),
    });
  }

  start(): void {
    this.#timer = setInterval(() => void this.flush(), FLUSH_MS).unref();
  }

  /** Tells Redis what is left. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await within(STOP_LIMIT_MS, this.flush(), () => undefined);
  }

  /** Tells Redis. Never rejects: where Redis does not answer, it is told the next time. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#tell());
    return this.#flushing;
  }

  async #tell(): Promise<void> {
    const pending = this.#pending;
    this.#pending = new Map();
    await Promise.all(
      [...pending].map(async ([key, figures]) => {
        const { okCount, failedCount, slowCount } = figures;
        try {
          await this.#redis.controlCount(key, okCount, failedCount, slowCount, KEEP_MS);
        } catch {
          // It may have been counted, and its answer lost: then it counts twice, which a guard bears.
          if (this.#isPresent(key)) this.#pending.set(key, sum(figures, this.#pending.get(key) ?? NO_FIGURES));
        }
      }),
    );
  }

  /** Nobody asks for the figures of a step that is over. */
  #isPresent(key: string): boolean {
    return Object.values(this.#state().cutovers).some(({ plan, version }) => figuresKey(plan.to, version) === key);
  }
}

function sum(a: CutoverFigures, b: CutoverFigures): CutoverFigures {
  return {
    okCount: a.okCount + b.okCount,
    failedCount: a.failedCount + b.failedCount,
    slowCount: a.slowCount + b.slowCount,
  };
}
