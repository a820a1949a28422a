import type { Clock } from "../../core/index.ts";
import type { Limiter, SlotAnswer, SlotRequest } from "./limiter.ts";
import type { RedisLimiter } from "./redis-limiter.ts";

/** How often a worker tells what it sent, and hears whether a limit was learned elsewhere. */
const REPORT_MS = 5_000;
const MINUTE_MS = 60_000;

/**
 * A provider without limits: nobody is asked, until it says that we are too fast. Then what went there in the last
 * minute, halved, is the limit of the whole fleet, until it has recovered.
 */
export class LearningLimiter implements Limiter {
  readonly #limiter: RedisLimiter;
  readonly #clock: Clock;
  #sent = { attempts: 0, messages: 0, recipients: 0 };
  #isLimited = false;
  #timer: NodeJS.Timeout | null = null;
  #isReporting = false;
  #reportedAt: number;

  constructor(limiter: RedisLimiter, clock: Clock) {
    this.#limiter = limiter;
    this.#clock = clock;
    this.#reportedAt = clock();
  }

  async reserve(request: SlotRequest): Promise<SlotAnswer> {
    if (this.#isLimited) {
      const answer = await this.#limiter.reserve(request);
      // Nobody set this limit: mail does not wait for the sake of it while Redis is away.
      if (answer.kind === "granted" || answer.cause !== "store") return answer;
    }
    this.#sent.attempts += 1;
    this.#startTimer();
    return {
      kind: "granted",
      end: (sent) => {
        if (!sent) return;
        this.#sent.messages += 1;
        this.#sent.recipients += request.recipientCount;
      },
    };
  }

  release(id: string): void {
    if (this.#isLimited) this.#limiter.release(id);
  }

  tooFast(reason: string): void {
    const isRecent = this.#clock() - this.#reportedAt < MINUTE_MS;
    const learn = async (): Promise<void> => {
      await this.#limiter.lowerPace(reason, isRecent ? this.#sent.attempts : 0);
      this.#isLimited = true;
      this.#startTimer();
    };
    void learn().catch(() => undefined);
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.report();
    await this.#limiter.close();
  }

  /** Tells the store what was sent since the last time. Called by itself while mail goes out. Never throws. */
  async report(): Promise<void> {
    if (this.#isReporting) return;
    const sent = this.#sent;
    if (sent.attempts === 0 && sent.messages === 0 && !this.#isLimited) {
      if (this.#timer !== null) clearInterval(this.#timer);
      this.#timer = null;
      return;
    }
    this.#isReporting = true;
    this.#sent = { attempts: 0, messages: 0, recipients: 0 };
    try {
      this.#isLimited = (await this.#limiter.report(sent)) !== null;
      this.#reportedAt = this.#clock();
    } catch {
      for (const key of ["attempts", "messages", "recipients"] as const) this.#sent[key] += sent[key];
    } finally {
      this.#isReporting = false;
    }
  }

  #startTimer(): void {
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => void this.report(), REPORT_MS);
    this.#timer.unref();
  }
}
