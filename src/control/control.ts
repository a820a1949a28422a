import type { RedisClient } from "../redis/connection.ts";
import { ChangeLog } from "./change-log.ts";
import type { History } from "./change-log.ts";
import type { Change, Draft } from "./change.ts";
import {
  checkAuthor,
  checkConflict,
  checkDuration,
  checkLast,
  checkName,
  checkNotDrained,
  checkWeight,
  drainOf,
  refuse,
} from "./checks.ts";
import type { Known, Refusal } from "./checks.ts";
import { readFigures } from "./cutover-figures.ts";
import { problemOfPlan } from "./cutover-plan.ts";
import { isActive } from "./cutover.ts";
import type { Cutover, CutoverFigures, CutoverPlan } from "./cutover.ts";
import type { Authorship } from "./overlay.ts";
import { checkRestored, restoredBy } from "./rollback.ts";
import { foldChanges, heldBefore, heldNow, holds } from "./state.ts";
import type { ControlState, Held } from "./state.ts";

/** Names as the configuration has them. */
export type ControlParts = Known & { readonly redis: RedisClient };

/** What became of a wish. `holds`: what it touched, as it is from now on. */
export type ControlAnswer =
  | { readonly kind: "done"; readonly change: Change; readonly holds: Held | null }
  | { readonly kind: "unchanged"; readonly sentence: string }
  | Refusal;

type Decision = Draft | Exclude<ControlAnswer, { kind: "done" }>;

type Lasting = { /** In milliseconds; null: until somebody ends it. */ readonly forMs?: number | null };
type Draining = { /** Also where no provider is left then. */ readonly allMailWaits?: boolean };

/** How often it is decided anew where others change something meanwhile. */
const TRIES = 20;

/**
 * What may be changed at run time. Each change has an author and a reason, and stands in a log that can be read and
 * undone. Methods reject where Redis does not answer; what cannot be done is a `refused` that says why.
 */
export class Control {
  readonly #parts: ControlParts;
  readonly #log: ChangeLog;

  constructor(parts: ControlParts) {
    this.#parts = parts;
    this.#log = new ChangeLog(parts.redis);
  }

  /** Sends no mail to the provider any more. Attempts under way end. */
  drain(
    provider: string,
    author: Authorship,
    { forMs = null, allMailWaits = false }: Lasting & Draining = {},
  ): Promise<ControlAnswer> {
    return this.#change(
      author,
      (history) =>
        this.#unknown(provider) ??
        checkDuration(forMs) ??
        (allMailWaits ? null : checkLast(provider, history, this.#parts)) ?? {
          ...author,
          action: "drain",
          provider,
          forMs,
        },
    );
  }

  /** Ends a drain; of a provider, too, that is no longer configured. */
  resume(provider: string, author: Authorship): Promise<ControlAnswer> {
    return this.#change(
      author,
      ({ state, now }) => {
        const drain = state.drains[provider];
        if (drain === undefined || !holds(drain, now)) {
          const pool = drainOf(provider, state, now, this.#parts.pools);
          if (pool !== null) return refuse("drained", `${provider} is drained with ${pool}: resume that`);
          return this.#unknown(provider) ?? { kind: "unchanged", sentence: `${provider} is not drained` };
        }
        return { ...author, action: "resume", provider };
      },
      false,
    );
  }

  /** Puts a provider before all others, in place of one that was. */
  prefer(provider: string, author: Authorship, { forMs = null }: Lasting = {}): Promise<ControlAnswer> {
    return this.#change(
      author,
      (history) =>
        this.#unknown(provider) ??
        checkDuration(forMs) ??
        checkNotDrained(provider, history, this.#parts.pools) ?? { ...author, action: "prefer", provider, forMs },
    );
  }

  /** Puts providers into their configured order again. */
  unprefer(author: Authorship): Promise<ControlAnswer> {
    return this.#change(
      author,
      ({ state: { preference }, now }) =>
        preference === null || !holds(preference, now)
          ? { kind: "unchanged", sentence: "no provider is preferred" }
          : { ...author, action: "unprefer" },
      false,
    );
  }

  /** Gives a provider another share among those of its priority; null: the configured one. */
  weight(
    provider: string,
    value: number | null,
    author: Authorship,
    { forMs = null }: Lasting = {},
  ): Promise<ControlAnswer> {
    return this.#change(
      author,
      ({ state }) =>
        this.#unknown(provider) ??
        checkWeight(value) ??
        checkDuration(forMs) ??
        (value === null && state.weights[provider] === undefined
          ? { kind: "unchanged", sentence: `${provider} has its configured weight` }
          : { ...author, action: "weight", provider, value, forMs: value === null ? null : forMs }),
    );
  }

  /** The latest changes, the last one first, and Redis's time. */
  async changes(limit: number): Promise<{ readonly now: number; readonly changes: readonly Change[] }> {
    const { now, changes } = await this.#log.read();
    return { now, changes: changes.toReversed().slice(0, limit) };
  }

  /** Undoes a change: what it touched is as it was before it, whatever was done to it since. */
  rollback(version: number, author: Authorship, { allMailWaits = false }: Draining = {}): Promise<ControlAnswer> {
    return this.#change(author, (history) => {
      const restores = restoredBy(history, version);
      if ("kind" in restores) return restores;
      const refusal = checkRestored(restores, history, this.#parts, allMailWaits);
      return refusal ?? { ...author, action: "rollback", undoes: version, restores };
    });
  }

  /** Begins to move mail to another provider, step by step. */
  cutover(plan: CutoverPlan, author: Authorship): Promise<ControlAnswer> {
    return this.#change(author, (history) => {
      const problem = problemOfPlan(plan);
      if (problem !== null) return refuse("invalid", problem);
      return (
        this.#unknown(plan.to) ??
        checkNotDrained(plan.to, history, this.#parts.pools) ??
        checkConflict(plan, history.state.cutovers, this.#parts.pools) ?? { ...author, action: "cutover.started", plan }
      );
    });
  }

  /** Takes a cutover back, under way or done: its mail goes as configured. Null: the only one there is. */
  stopCutover(to: string | null, author: Authorship): Promise<ControlAnswer> {
    return this.#change(
      author,
      ({ state }) => {
        const active = Object.values(state.cutovers).filter(isActive);
        const named = to === null ? active : active.filter(({ plan }) => plan.to === to);
        const [cutover] = named;
        if (cutover === undefined) {
          return { kind: "unchanged", sentence: `no mail moves${to === null ? "" : ` to ${to}`}` };
        }
        if (named.length > 1) {
          const names = named.map(({ plan }) => plan.to).join(", ");
          return refuse("invalid", `to: is missing, and there are cutovers to ${names}`);
        }
        return { ...author, action: "cutover.stopped", provider: cutover.plan.to, step: cutover.step, percent: 0 };
      },
      false,
    );
  }

  /** All that the log comes to, and Redis's time. */
  async status(): Promise<{ readonly now: number; readonly state: ControlState }> {
    const { now, state } = await this.#log.read();
    return { now, state };
  }

  /** What the present step of a cutover has seen. */
  figures(cutover: Cutover): Promise<CutoverFigures> {
    return readFigures(this.#parts.redis, cutover);
  }

  #unknown(provider: string): Refusal | null {
    return checkName(provider, this.#parts);
  }

  /** Decides on what holds, and decides anew where that changed before the decision was written. */
  async #change(
    author: Authorship,
    decide: (history: History) => Decision,
    isReasonNeeded = true,
  ): Promise<ControlAnswer> {
    const refusal = checkAuthor(author, isReasonNeeded);
    if (refusal !== null) return refusal;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const history = await this.#log.read();
      const decision = decide(history);
      if ("kind" in decision) return decision;
      const change = await this.#log.append(decision, history.state.version, history);
      if (change === null) continue;
      const after = foldChanges([change], history.state);
      const touched = heldBefore(history.state, change);
      return { kind: "done", change, holds: touched === null ? null : heldNow(after, touched) };
    }
    throw new Error(`others changed something each of ${TRIES} times that this was tried: try it again`);
  }
}
