import type { ProbeResult } from "../../../../src/gate/probe.ts";
import type { StoredState } from "../../../../src/gate/fleet/store.ts";
import { AUTH, BAD, GOOD, SETTINGS } from "./world.ts";
import type { SimulatedWorker, World } from "./world.ts";

/** One thing that happens to one of the workers there are: the `who`-th, counted round. */
export type Happening =
  | { readonly kind: "beats" | "withdraws" | "dies" | "leaves" | "loses Redis"; readonly who: number }
  | { readonly kind: "votes"; readonly who: number; readonly atLeastMs: number }
  | { readonly kind: "ends its probe"; readonly who: number; readonly how: "good" | "bad" | "auth" }
  | { readonly kind: "time passes"; readonly ms: number }
  | { readonly kind: "comes" }
  | { readonly kind: "all beat" };

/** Longer than any test takes, since a seat limits probes by the real time. Of simulated time there is enough. */
export const MODEL_SETTINGS = {
  ...SETTINGS,
  breaker: { ...SETTINGS.breaker, jitterPercent: 20, probeTimeoutMs: 60_000 },
} as const;

const RESULTS: Readonly<Record<"good" | "bad" | "auth", ProbeResult>> = { good: GOOD, bad: BAD, auth: AUTH };
const MOST_WORKERS = 6;
const GONE_AFTER_MS = 5_000;

/** From the longest open time there is, over a lease that its holder took to the grave, to the end of the ramp. */
const LONGEST_WAY_MS = 72_000 + 65_000 + 3_000 + 10_000;

/** The longest open time that the settings or a vote allow. */
const LONGEST_OPEN_MS = 60_000 * 1.2;

/** All there are. */
export const MOVES = ["closed open", "open open", "open ramp", "ramp closed", "ramp open"] as const;

/** What the model knows of a worker beside what is in it: what it said last, and when. */
type Told = { at: number; votes: boolean; ofRamp: number };

/**
 * A fleet whose workers hear of nothing but by their own beats, and a simple account of what must be true of it. After
 * each happening the state in Redis is compared with the account; what is wrong is thrown.
 */
export class FleetModel {
  readonly #world: World;
  readonly #told = new Map<SimulatedWorker, Told>();
  readonly #opening = new Set<SimulatedWorker>();
  readonly #heardRamp = new Map<SimulatedWorker, number>();
  readonly #probeBegan = new Map<SimulatedWorker, number>();
  #rampCount = 0;
  #before: StoredState | null = null;
  readonly seen = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  async happen(happening: Happening): Promise<void> {
    const { live } = this.#world;
    if (happening.kind === "time passes") return this.#passTime(happening.ms);
    if (happening.kind === "all beat") return this.settle();
    if (happening.kind === "comes") {
      if (live.length < MOST_WORKERS) await this.#beat(this.#world.create(pseudoRandom(this.#world.workers.length)));
      return;
    }
    const worker = live[happening.who % Math.max(1, live.length)];
    if (worker === undefined) return;
    switch (happening.kind) {
      case "beats":
        return this.#beat(worker);
      case "votes":
        worker.vote({ atLeastMs: happening.atLeastMs });
        this.#opening.add(worker);
        return;
      case "withdraws":
        worker.vote(null);
        this.#opening.delete(worker);
        return;
      case "dies":
        worker.die();
        return;
      case "leaves":
        await worker.member.leave();
        worker.die();
        this.#told.delete(worker);
        return;
      case "loses Redis":
        worker.member.lost();
        return;
      case "ends its probe":
        await worker.endProbe(RESULTS[happening.how]);
        this.#probeBegan.delete(worker);
    }
  }

  /** All beat until nothing moves any more, which is soon; then all hold what Redis holds. */
  async settle(): Promise<void> {
    let version = -1;
    for (let round = 0; round < 5; round += 1) {
      for (const worker of this.#world.live) await this.#beat(worker);
      const { state } = await this.#world.look();
      if (state.version === version) {
        for (const worker of this.#world.live) must(agrees(worker, state), `${worker.story} is not ${state.kind}`);
        return;
      }
      version = state.version;
    }
    must(false, "it goes on moving though no time passes");
  }

  /** Nobody has anything against the provider any more, and it can be reached: it comes back in bounded time. */
  async recover(): Promise<void> {
    await this.happen({ kind: "comes" });
    for (const worker of this.#world.live)
      await this.happen({ kind: "withdraws", who: this.#world.live.indexOf(worker) });
    const endAt = this.#world.now + LONGEST_WAY_MS;
    while (this.#world.now < endAt) {
      for (const worker of this.#world.live.filter(({ isProbing }) => isProbing)) await worker.endProbe(GOOD);
      this.#probeBegan.clear();
      await this.#passTime(8_000);
      await this.settle();
    }
    must(this.#before?.kind === "closed", `it is still ${this.#before?.kind}`);
  }

  async #passTime(ms: number): Promise<void> {
    this.#world.now += ms;
    // As the probe of a gate does, whatever the worker is at.
    for (const [worker, beganAt] of this.#probeBegan) {
      if (this.#world.now - beganAt < MODEL_SETTINGS.breaker.probeTimeoutMs) continue;
      if (worker.isAlive) await worker.endProbe(BAD);
      this.#probeBegan.delete(worker);
    }
  }

  async #beat(worker: SimulatedWorker): Promise<void> {
    const changeCount = worker.changes.length;
    const knew = this.#heardRamp.get(worker) ?? 0;
    const voted = this.#opening.has(worker);
    await worker.beat();
    this.#told.set(worker, { at: this.#world.now, votes: voted, ofRamp: knew });
    if (worker.isProbing && !this.#probeBegan.has(worker)) this.#probeBegan.set(worker, this.#world.now);
    const { state } = await this.#world.look();
    this.#checkState(state);
    this.#heardRamp.set(worker, this.#rampCount);
    const changes = worker.changes.slice(changeCount);
    if (changes.some(([, to]) => to.kind === "ramp")) this.#opening.delete(worker);
    for (const [from, to] of changes) {
      must(from.kind !== "open" || to.kind !== "closed", "a worker was told of a closing without its ramp");
    }
    must(worker.errors.length === 0, `it threw ${worker.errors[0]?.message}`);
    must(agrees(worker, state), `${worker.story} after a beat, and Redis has ${state.kind}`);
  }

  #checkState(state: StoredState): void {
    const from = this.#before?.kind ?? "closed";
    if (state.version !== (this.#before?.version ?? 0)) {
      const move = `${from} ${state.kind}`;
      must(
        MOVES.some((one) => one === move),
        `it moved ${move}`,
      );
      must(state.version > (this.#before?.version ?? 0), "its version fell");
      this.seen.add(move);
      if (state.rampVersion !== (this.#before?.rampVersion ?? 0)) this.#rampCount += 1;
    }
    const probers = this.#world.live.filter(({ isProbing }) => isProbing);
    must(probers.length <= 1, `${probers.length} workers probe it`);
    if (state.kind === "open") {
      const openForMs = state.untilAt - this.#world.now;
      must(openForMs <= LONGEST_OPEN_MS, `it is open for another ${openForMs} ms`);
      if (from !== "open") must(this.#votes() >= this.#quorum(), "it opened without enough votes");
    } else {
      must(this.#votes() < this.#quorum(), `it is ${state.kind} with enough votes`);
    }
    this.#before = state;
  }

  #present(): Told[] {
    return [...this.#told.values()].filter(({ at }) => at > this.#world.now - GONE_AFTER_MS);
  }

  /** Those cast knowing of the latest ramp. */
  #votes(): number {
    return this.#present().filter(({ votes, ofRamp }) => votes && ofRamp === this.#rampCount).length;
  }

  #quorum(): number {
    return this.#present().length < 3 ? 1 : 2;
  }
}

/** By its own clock, which may be hours off. */
function agrees({ seat, skewMs }: SimulatedWorker, state: StoredState): boolean {
  if (!seat.connected || seat.state.kind !== state.kind) return false;
  if (seat.state.kind === "open") return Math.abs(seat.state.untilAt - state.untilAt - skewMs) < 3;
  return seat.state.kind === "closed" || Math.abs(seat.state.startedAt - state.startedAt - skewMs) < 3;
}

function must(isSo: boolean, otherwise: string): void {
  if (!isSo) throw new Error(otherwise);
}

function pseudoRandom(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}
