import type { FleetState, Opening } from "../../../../src/gate/fleet/fleet.ts";
import { Member } from "../../../../src/gate/fleet/member.ts";
import type { FleetSettings } from "../../../../src/gate/fleet/member.ts";
import type { Seat } from "../../../../src/gate/fleet/seat.ts";
import { FleetStore } from "../../../../src/gate/fleet/store.ts";
import type { FleetPicture } from "../../../../src/gate/fleet/store.ts";
import type { Pause } from "../../../../src/gate/pause.ts";
import type { ProbeResult } from "../../../../src/gate/probe.ts";
import type { RedisClient } from "../../../../src/redis/connection.ts";

export const SETTINGS: FleetSettings = {
  quorum: "auto",
  breaker: {
    windowMs: 10_000,
    openMs: 1_000,
    openMaxMs: 8_000,
    openGrowth: 2,
    jitterPercent: 0,
    probeTimeoutMs: 2_000,
    authOpenMs: 60_000,
  },
  ramp: { percents: [5, 25, 50], stepMs: 1_000 },
};

export const GOOD: ProbeResult = { ok: true, stage: "auth", reason: "it took 5 ms", failure: null };
export const BAD: ProbeResult = { ok: false, stage: "connect", reason: "connect: refused", failure: null };
export const AUTH: ProbeResult = {
  ok: false,
  stage: "auth",
  reason: "auth: 535 5.7.3",
  failure: {
    cause: "auth",
    scope: "provider",
    status: "5.7.3",
    reason: "535 5.7.3",
    stage: "auth",
    rule: null,
    remedy: "Renew the secret",
  },
};

/** Each is longer than the margins that a fleet allows the clocks of its workers. */
const SKEWS_MS = [0, 3_600_000, -7_200_000, 12_345, -999];

export const PROVIDER = "relay";

/** A fleet, and the time of Redis and of all its workers: it passes only as a test says. */
export class World {
  readonly store: FleetStore;
  readonly workers: SimulatedWorker[] = [];
  readonly #settings: FleetSettings;
  now = 1_800_000_000_000;

  constructor(redis: RedisClient, name: string, settings: Partial<FleetSettings> = {}) {
    this.#settings = { ...SETTINGS, ...settings };
    this.store = new FleetStore(redis, { name, now: () => this.now });
  }

  get live(): SimulatedWorker[] {
    return this.workers.filter(({ isAlive }) => isAlive);
  }

  /** Workers that are in the fleet, and heard what it holds. */
  async add(count: number, random?: () => number): Promise<SimulatedWorker[]> {
    const added = Array.from({ length: count }, () => this.create(random));
    for (const worker of added) await worker.beat();
    return added;
  }

  /** A worker that has not said anything yet. */
  create(random?: () => number): SimulatedWorker {
    const worker = new SimulatedWorker(this, this.#settings, SKEWS_MS[this.workers.length % 5] ?? 0, random);
    this.workers.push(worker);
    return worker;
  }

  /** Lets time pass, in steps of a second at most, with a beat of every living worker after each. */
  async pass(timeMs: number): Promise<void> {
    const endAt = this.now + timeMs;
    while (this.now < endAt) {
      this.now = Math.min(endAt, this.now + 1_000);
      await this.beatAll();
    }
  }

  async beatAll(): Promise<void> {
    for (const worker of this.live) await worker.beat();
  }

  async look(): Promise<FleetPicture["seats"][number]> {
    const [seat] = (await this.store.look([PROVIDER])).seats;
    if (seat === undefined) throw new Error("the store does not answer");
    return seat;
  }
}

/** A worker of which the breaker is what the test says, and the probe ends when and as the test says. */
export class SimulatedWorker {
  readonly member: Member;
  readonly seat: Seat;
  readonly skewMs: number;
  readonly changes: (readonly [from: FleetState, to: FleetState])[] = [];
  readonly pauses: Pause[] = [];
  readonly errors: Error[] = [];
  isAlive = true;
  newsCount = 0;
  probeCount = 0;
  #endProbe: ((result: ProbeResult) => void) | null = null;

  constructor(world: World, settings: FleetSettings, skewMs: number, random: () => number = () => 0.5) {
    this.skewMs = skewMs;
    this.member = new Member({
      store: world.store,
      name: "host:1",
      settings,
      status: () => `{"skewMs":${skewMs}}`,
      clock: () => world.now + skewMs,
      random,
      onNews: () => {
        this.newsCount += 1;
      },
      onError: (error) => this.errors.push(error),
    });
    this.seat = this.member.join(PROVIDER, {
      probe: (signal) => this.#probe(signal),
      onChange: (from, to) => this.changes.push([from, to]),
      onPause: (pause) => this.pauses.push(pause),
    });
  }

  get isProbing(): boolean {
    return this.#endProbe !== null;
  }

  /** What it was told, in short: "closed open ramp". */
  get story(): string {
    return ["closed", ...this.changes.map(([, to]) => to.kind)].join(" ");
  }

  beat(): Promise<void> {
    return this.member.beat();
  }

  vote(opening: Partial<Opening> | null = {}): void {
    this.seat.vote(opening === null ? null : { reason: "421 busy", remedy: null, atLeastMs: null, ...opening });
  }

  /** Ends the probe it is at. What came of it is told with its next beat. */
  async endProbe(result: ProbeResult): Promise<void> {
    this.#endProbe?.(result);
    this.#endProbe = null;
    // The seat takes it in some turns of the microtask queue later.
    await new Promise(setImmediate);
  }

  /** As a process that is killed: it never says anything again. */
  die(): void {
    this.isAlive = false;
    this.#endProbe = null;
  }

  #probe(signal: AbortSignal): Promise<ProbeResult> {
    if (this.#endProbe !== null) throw new Error("it probes already");
    this.probeCount += 1;
    return new Promise((resolve) => {
      this.#endProbe = resolve;
      signal.addEventListener("abort", () => resolve(BAD), { once: true });
    });
  }
}
