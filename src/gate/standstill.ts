import { contentHasBegun } from "../core/index.ts";
import type { Clock, Stage } from "../core/index.ts";
import type { Passage } from "./passage.ts";
import { Usual } from "./usual.ts";

/** Below this nothing is a standstill, however fast the provider usually is. */
const LEAST_MS = 150;

export type StandstillParts = {
  readonly clock: Clock;
  /** An attempt that stands still for as long as this is slow by itself. Milliseconds. */
  readonly slowAfterMs: number;
  /** Told when one begins: of the other attempts that stand still, or came to its stage. */
  readonly onBegin: (others: readonly Passage[]) => void;
};

type Course = { readonly stage: Stage; readonly since: number };

/**
 * A provider that falls silent stands still long before any time limit says so: nobody has left a stage for a multiple of
 * the time it usually takes here. From then on one attempt, the witness, waits for what comes of it, and nobody else.
 * An attempt that hangs where others get on is a broken connection, and no standstill.
 */
export class Standstill {
  readonly #parts: StandstillParts;
  readonly #usual = new Map<Stage, Usual>();
  readonly #leftAt = new Map<Stage, number>();
  readonly #courses = new Map<Passage, Course>();
  #witness: { readonly passage: Passage; readonly stage: Stage; readonly isOneOfMany: boolean } | null = null;
  #wasPassedBy = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: StandstillParts) {
    this.#parts = parts;
  }

  /** The stage that nobody leaves, while there is a standstill. */
  get stage(): Stage | null {
    return this.#witness?.stage ?? null;
  }

  /** Whether this is the witness, and others stood still with it: then it is hardly a single connection's trouble. */
  speaksForMany(passage: Passage): boolean {
    return this.#witness?.passage === passage && this.#witness.isOneOfMany;
  }

  /** A message went elsewhere for it. */
  passedBy(): void {
    this.#wasPassedBy = true;
  }

  /** Whether this is the witness, and others went elsewhere meanwhile: then it need not wait any longer than they would. */
  keptOthersAway(passage: Passage): boolean {
    return this.#witness?.passage === passage && this.#wasPassedBy;
  }

  /** An attempt came to this stage. */
  progressed(passage: Passage, stage: Stage): void {
    const now = this.#parts.clock();
    const course = this.#courses.get(passage);
    if (course !== undefined) this.#left(course, now);
    if (contentHasBegun(stage)) this.#courses.delete(passage);
    else this.#courses.set(passage, { stage, since: now });
    this.#watch();
  }

  /** An attempt is over, whatever came of it. */
  gone(passage: Passage): void {
    this.#courses.delete(passage);
    if (this.#witness?.passage === passage) this.#witness = null;
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #left({ stage, since }: Course, now: number): void {
    let usual = this.#usual.get(stage);
    if (usual === undefined) this.#usual.set(stage, (usual = new Usual()));
    usual.add(now - since);
    this.#leftAt.set(stage, now);
    if (this.#witness?.stage === stage) this.#witness = null;
  }

  /** How long nobody may leave a stage; Infinity where it is not known how long it usually takes. */
  #limitMs(stage: Stage): number {
    // At hand as a rule, and fetched from elsewhere now and then: no time is usual.
    if (stage === "token") return Number.POSITIVE_INFINITY;
    return this.#usual.get(stage)?.limitMs(LEAST_MS) ?? Number.POSITIVE_INFINITY;
  }

  /** When the attempt would be at a standstill, if nobody leaves its stage until then. */
  #stillAt({ stage, since }: Course): number {
    return Math.max(since, this.#leftAt.get(stage) ?? 0) + this.#limitMs(stage);
  }

  /** One timer for all attempts: it looks at them when it rings, and not at each stage. */
  #watch(): void {
    if (this.#timer !== null) return;
    const now = this.#parts.clock();
    const nextAt = Math.min(
      ...[...this.#courses]
        .filter(([passage, course]) => this.#witness?.passage !== passage && this.#mayStand(course, now))
        .map(([, course]) => this.#stillAt(course)),
    );
    if (nextAt === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#look();
        this.#watch();
      },
      Math.max(LEAST_MS / 3, nextAt - now),
    ).unref();
  }

  /** Slow by itself before that, it is judged by that. */
  #mayStand(course: Course, now: number): boolean {
    const { slowAfterMs } = this.#parts;
    return now - course.since < slowAfterMs && this.#stillAt(course) - course.since < slowAfterMs;
  }

  #isStill(course: Course, now: number): boolean {
    return this.#mayStand(course, now) && this.#stillAt(course) <= now;
  }

  #look(): void {
    const { clock, onBegin } = this.#parts;
    const now = clock();
    const still = [...this.#courses].filter(
      ([passage, course]) => this.#witness?.passage !== passage && this.#isStill(course, now),
    );
    const [first] = still.toSorted(([, one], [, other]) => one.since - other.since);
    if (first === undefined) return;
    if (this.#witness !== null) {
      // They were in another stage when it began, and got no further in that.
      this.#witness = { ...this.#witness, isOneOfMany: true };
      onBegin(still.map(([passage]) => passage));
      return;
    }
    const [passage, { stage }] = first;
    // Those in the same stage have come to it later; they would wait for the same answer.
    const others = [...this.#courses].filter(
      ([other, course]) => other !== passage && (course.stage === stage || this.#isStill(course, now)),
    );
    this.#wasPassedBy = others.length > 0;
    this.#witness = { passage, stage, isOneOfMany: others.length > 0 };
    onBegin(others.map(([other]) => other));
  }
}
