import type { Clock, LimitSettings } from "../../core/index.ts";
import type { RedisClient } from "../../redis/connection.ts";
import { gatherWrites } from "../../redis/gather-writes.ts";
import { within } from "../../redis/within.ts";
import { keysOf } from "./keys.ts";
import { ScriptFrame } from "./script-arguments.ts";
import type { Argument, PaceSettings } from "./script-arguments.ts";
import { RESERVE } from "./script-reserve.ts";
import { END, RELEASE, RENEW, REPORT, TOO_FAST } from "./scripts.ts";

/**
 * A command has failed after this long. ioredis fails one by itself where it finds no connection; not one that was on its way
 * when the connection broke, for as long as Redis takes connections and is not ready: while it loads its data, say.
 */
const COMMAND_TIMEOUT_MS = 3_000;

const SCRIPTS = {
  limitReserve: RESERVE,
  limitEnd: END,
  limitRelease: RELEASE,
  limitTooFast: TOO_FAST,
  limitReport: REPORT,
  limitRenew: RENEW,
} as const;

type Command = keyof typeof SCRIPTS;
type Scripted = RedisClient & Record<Command, (...args: Argument[]) => Promise<unknown>>;

/** The scripts of one provider's limits, as commands. */
export class LimitStore {
  readonly #redis: Scripted;
  readonly #keys: readonly string[];
  readonly #frame: ScriptFrame;
  readonly #clock: Clock;
  readonly #storeClock: Clock | null;

  /** `leaseMs`: how long an attempt may run before it counts as sent. `storeClock`: for tests, what Redis's clock shows. */
  constructor(options: {
    readonly redis: RedisClient;
    readonly provider: string;
    readonly settings: LimitSettings;
    readonly pace: PaceSettings;
    readonly leaseMs: number;
    readonly clock: Clock;
    readonly storeClock?: Clock;
  }) {
    this.#keys = keysOf(options.provider);
    for (const [name, lua] of Object.entries(SCRIPTS)) {
      options.redis.defineCommand(name, { numberOfKeys: this.#keys.length, lua });
    }
    this.#redis = options.redis as Scripted;
    this.#frame = new ScriptFrame(options.settings, options.pace, options.leaseMs);
    this.#clock = options.clock;
    this.#storeClock = options.storeClock ?? null;
  }

  /** Rejects within seconds where Redis does not answer. It may have been carried out all the same, or yet be. */
  run(command: Command, args: readonly Argument[]): Promise<unknown> {
    gatherWrites(this.#redis);
    const frame = this.#frame.at(this.#clock(), this.#storeClock?.() ?? null);
    const answer = this.#redis[command](...this.#keys, ...frame, ...args);
    return within(COMMAND_TIMEOUT_MS, answer, () => {
      throw new Error("Redis does not answer");
    });
  }
}
