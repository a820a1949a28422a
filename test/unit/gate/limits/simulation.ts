import type { MessageClass } from "../../../../src/core/index.ts";
import { ATTEMPT_TIMEOUT_MS } from "./world.ts";
import type { World } from "./world.ts";

/** A message as it behaves: times in milliseconds. */
export type Mail = {
  readonly class: MessageClass;
  /** After the start of the simulation. */
  readonly arrivesAt: number;
  readonly tookMs: number;
  /** The provider counts it at this share of its attempt, 0 to 1. */
  readonly countedAt: number;
  /** How much later than it was told it comes back. */
  readonly lateMs: number;
  /**
   * `unsent`: its first attempt is none in the end, and it comes again at once. `throttled`: so, too, since the provider
   * finds us too fast. `dies`: its worker is killed during the attempt, and nobody tells its end. `leaves`: it never comes
   * back when it has to wait.
   */
  readonly fate: "sent" | "unsent" | "throttled" | "dies" | "leaves";
};

export type Course = {
  readonly mail: Mail;
  readonly number: number;
  askedCount: number;
  bookedAt: number | null;
  grantedAt: number | null;
  /** When the provider counted it. */
  countedAt: number | null;
};

type Event = { readonly at: number; readonly run: () => Promise<void> | void };

/** Longest time simulated: no message may need more. */
const HORIZON_MS = 48 * 3_600_000;

/** Runs the messages through the world's limits, spread over workers whose clocks differ, in the order of time. */
export async function simulate(world: World, mails: readonly Mail[]): Promise<Course[]> {
  const skews = [0, -40_000, 7_200_000];
  const workers = skews.map((skewMs, i) => world.worker(`worker-${i}`, {}, skewMs));
  const startedAt = world.now;
  const events: Event[] = [];
  const plan = (at: number, run: Event["run"]): void => {
    // After all others of that time.
    const index = events.findLastIndex((event) => event.at <= at);
    events.splice(index + 1, 0, { at, run });
  };

  const come = async (course: Course): Promise<void> => {
    const { mail, number } = course;
    const who = (number + course.askedCount) % workers.length;
    const [worker, skewMs] = [workers[who]!, skews[who]!];
    course.askedCount += 1;
    const request = { id: `m${number}`, class: mail.class, recipientCount: 1, bookWithinMs: Infinity };
    const answer = await worker.reserve(request);
    if (answer.kind === "later") {
      if (answer.booked) course.bookedAt ??= world.now;
      if (mail.fate === "leaves") return;
      plan(answer.at - skewMs + mail.lateMs, () => come(course));
      return;
    }
    const isUnsent = (mail.fate === "unsent" || mail.fate === "throttled") && course.grantedAt === null;
    const tookMs = mail.fate === "dies" ? ATTEMPT_TIMEOUT_MS : mail.tookMs;
    course.grantedAt = world.now;
    if (!isUnsent) course.countedAt = world.now + Math.round(tookMs * mail.countedAt);
    if (mail.fate === "dies") return;
    plan(world.now + tookMs, async () => {
      answer.end(!isUnsent);
      if (isUnsent && mail.fate === "throttled") await worker.lowerPace("too fast", 0);
      if (isUnsent) plan(world.now, () => come(course));
    });
  };

  const courses = mails.map((mail, number): Course => {
    const course = { mail, number, askedCount: 0, bookedAt: null, grantedAt: null, countedAt: null };
    plan(startedAt + mail.arrivesAt, () => come(course));
    return course;
  });
  for (let event = events.shift(); event !== undefined; event = events.shift()) {
    world.now = Math.max(world.now, Math.ceil(event.at));
    if (world.now > startedAt + HORIZON_MS) throw new Error("a message waits for ever");
    await event.run();
  }
  return courses;
}

/** The most messages that the provider counted in any such time. */
export function mostInAny(windowMs: number, courses: readonly Course[]): number {
  const instants = courses.flatMap(({ countedAt }) => countedAt ?? []).toSorted((a, b) => a - b);
  let most = 0;
  for (let first = 0, last = 0; last < instants.length; last += 1) {
    while (instants[last]! - instants[first]! >= windowMs) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
