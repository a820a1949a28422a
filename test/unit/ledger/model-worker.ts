import { AsyncLocalStorage } from "node:async_hooks";
import type { GatewayEvent } from "../../../src/core/index.ts";
import { BY_PRIORITY } from "../../../src/delivery/order.ts";
import { work } from "../../../src/delivery/work.ts";
import type { WorkParts } from "../../../src/delivery/work.ts";
import { defaultLimits } from "../../../src/message/limits.ts";
import { JOB_LOST } from "../../../src/queue/claim.ts";
import type { Verdict } from "../../../src/queue/mail-worker.ts";
import { gateOf } from "./model-provider.ts";
import { RECIPIENTS } from "./model-world.ts";
import type { World } from "./model-world.ts";
import { WatchedLedger } from "./model-ledger.ts";

/** What became of a worker's run: its verdict, or where it stays. */
export type Run = Verdict | { readonly kind: "dead" } | { readonly kind: "asleep" };

/**
 * What may go wrong around a step: the worker dies; a call of the ledger throws, done or not done; the worker stands still
 * while others go on; the gateway stops. And what ends a sleep: it wakes while another one is at work.
 */
export type Fault = "none" | "dies" | "fails" | "sleeps" | "stops" | "wakes";

const MINUTE_MS = 60_000;
const raw = "From: app@contoso.com\r\nTo: ann@example.org\r\nMessage-ID: <m@contoso.com>\r\n\r\nHello\r\n";

/** A promise that is resolved from outside. */
class Latch<T> {
  resolve: (value: T) => void = () => undefined;
  readonly promise = new Promise<T>((resolve) => {
    this.resolve = resolve;
  });
}

/** The worker whose code runs: providers are shared by all worlds, and find theirs by it. */
export const current = new AsyncLocalStorage<ModelWorker>();

/** One worker at the world's job: the real code from the job on, which goes wrong where the path says so. */
export class ModelWorker {
  /** Of the hold it got last. */
  fence = 0;
  readonly controller = new AbortController();
  readonly world: World;
  readonly name: string;
  readonly running: Promise<Verdict>;
  readonly #halted = new Latch<Run>();
  readonly #buried = new Latch<void>();
  #awake: Latch<void> | null = null;
  #isDead = false;
  #mayFault = true;
  /** Its steps are taken one after another, in the order in which its code asks for them. */
  #line: Promise<unknown> = Promise.resolve();

  constructor(world: World) {
    this.world = world;
    this.name = `worker-${world.workers.length + 1}`;
    world.workers.push(this);
    world.owner = this;
    this.running = current.run(this, () => this.#run());
  }

  /** Ends when it has a verdict, is dead, or falls asleep. A throw is what MailWorker takes for a defect. */
  async outcome(): Promise<Run> {
    const verdict = this.running.catch((): Run => ({
      kind: "later",
      at: this.world.now + MINUTE_MS / 2,
      fresh: false,
      record: null,
    }));
    return Promise.race([verdict, this.#halted.promise]);
  }

  /** A step at which something may go wrong before or after. `buried` is what it comes to once the path is over. */
  step<T>(what: string, act: () => Promise<T> | T, buried: () => T): Promise<T> {
    const next = this.#line.then(() => this.#step(what, act, buried));
    this.#line = next.catch(() => undefined);
    return next;
  }

  /** Lets one that fell asleep go on, and waits for its end. */
  async wake(isTold: boolean): Promise<void> {
    const { world } = this;
    world.asleep = world.asleep.filter((other) => other !== this);
    world.note(`${this.name} wakes${isTold ? ", told" : ""}`);
    if (isTold) this.controller.abort(JOB_LOST);
    this.#mayFault = false;
    this.#awake?.resolve();
    await Promise.race([this.running.catch(() => undefined), this.#died()]);
  }

  /** Lets the code of one that died run out, to no effect, so that nothing is left behind. */
  async bury(): Promise<void> {
    this.#isDead = true;
    this.controller.abort(JOB_LOST);
    this.#awake?.resolve();
    this.#buried.resolve();
    await this.running.catch(() => undefined);
  }

  /** To die, to sleep or to be stopped before a step is the same as after the one before it. */
  async #step<T>(what: string, act: () => Promise<T> | T, buried: () => T): Promise<T> {
    if (this.#isDead) return this.#die(buried);
    const fails: readonly Fault[] = what.startsWith("ledger") ? ["fails"] : [];
    if ((await this.#fault(`before ${this.name} ${what}`, fails)) === "fails")
      throw new Error("the connection broke before the command was sent");
    const answer = await act();
    this.world.note(`${this.name} ${what}`);
    const fault = await this.#fault(`after ${this.name} ${what}`, [...fails, "dies", "sleeps", "stops"]);
    if (fault === "dies") return this.#die(buried);
    if (fault === "fails") throw new Error("the connection broke before the answer came");
    if (fault === "sleeps" && (await this.#sleep()) === "buried") return buried();
    return answer;
  }

  async #fault(where: string, possible: readonly Fault[]): Promise<Fault> {
    const { world } = this;
    if (!this.#mayFault || possible.length === 0) return "none";
    for (;;) {
      const options: [Fault, ...Fault[]] = ["none"];
      if (world.faultsLeft > 0) options.push(...possible.filter((fault) => world.bounds.kinds.includes(fault)));
      if (world.asleep.length > 0 && possible.includes("sleeps")) options.push("wakes");
      const fault = world.choices.choose(options);
      if (fault === "none") return fault;
      world.note(`${where}: ${fault}`);
      if (fault === "wakes") {
        await world.asleep[0]?.wake(false);
        continue;
      }
      world.faultsLeft -= 1;
      if (fault !== "stops") return fault;
      this.controller.abort(new Error("the gateway stops"));
    }
  }

  async #die<T>(buried: () => T): Promise<T> {
    this.#isDead = true;
    this.#halted.resolve({ kind: "dead" });
    await this.#buried.promise;
    return buried();
  }

  async #died(): Promise<void> {
    if ((await this.#halted.promise).kind !== "dead") await this.#buried.promise;
  }

  async #sleep(): Promise<"awake" | "buried"> {
    this.#awake = new Latch<void>();
    this.world.asleep.push(this);
    this.#halted.resolve({ kind: "asleep" });
    await this.#awake.promise;
    return this.#isDead ? "buried" : "awake";
  }

  async #run(): Promise<Verdict> {
    const { world } = this;
    const verdict = await work(
      {
        id: world.id,
        data: { raw, envelope: { from: "app@contoso.com", to: RECIPIENTS }, onUncertain: world.policy },
        createdAt: 1_000_000,
        dueAt: 1_000_000,
        stalledCount: world.stalledCount,
        progress: null,
        signal: this.controller.signal,
        save: (record) =>
          this.step(
            "saves progress",
            () => world.compare("progress", this, record),
            () => undefined,
          ),
        replaceData: async () => undefined,
      },
      this.#parts(),
    );
    if (verdict.kind === "completed") await world.compare("the verdict", this, verdict.record);
    return this.step(
      `finishes: ${verdict.kind}`,
      async () => {
        if (verdict.kind === "later" && verdict.record !== null) {
          await world.compare("progress", this, verdict.record);
        }
        return verdict;
      },
      () => ({ kind: "lost" }),
    );
  }

  #parts(): WorkParts {
    const { world } = this;
    const names = world.bounds.providers === 1 ? ["a"] : ["a", "b"];
    const settings = {
      giveUpAfterMs: 60 * MINUTE_MS,
      onUncertain: "retry",
      afterVerify: "retry",
      whenThrottled: { maxWaitMs: 0 },
      hedgeAfterMs: null,
    } as const;
    return {
      upstreams: names.map((name, priority) => ({ name, priority, weight: 1, gate: gateOf(name) })),
      routing: BY_PRIORITY,
      onShifted: () => undefined,
      classes: { otp: settings, transactional: settings, bulk: settings },
      backoff: { delaysMs: [MINUTE_MS], otpDelaysMs: [MINUTE_MS], jitterPercent: 0 },
      attemptTimeoutMs: 3 * MINUTE_MS,
      clock: () => world.now,
      random: () => 0,
      emit: (event: GatewayEvent) => void world.told.add(event.type),
      queueName: "mail",
      workerName: this.name,
      limits: defaultLimits,
      keyring: { primary: null, keys: new Map() },
      sealAddresses: false,
      ledger: new WatchedLedger(this),
      keepMs: MINUTE_MS,
      idempotencyMs: MINUTE_MS,
      report: null,
      onError: () => undefined,
    };
  }
}
