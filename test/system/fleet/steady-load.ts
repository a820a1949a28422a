import { setTimeout as sleep } from "node:timers/promises";
import type { MailoverClient } from "../../../src/client.ts";
import type { LabServer } from "../../../src/lab/index.ts";
import type { MessageInput } from "../../../src/message/index.ts";
import { mail } from "../../scenario/gateway.ts";

export type LoadOptions = {
  /** Its messages have it in their subject. */
  readonly name: string;
  readonly ratePerSecond: number;
  /** What a message has beside the usual. */
  readonly more?: object;
};

/** An app that pushes at a steady rate, whatever becomes of it. */
export class SteadyLoad {
  /** Subjects of what Redis took. What it did not take an app would push again. */
  readonly subjects: string[] = [];
  refusedCount = 0;
  readonly #enough = new AbortController();
  readonly #running: Promise<void>;

  constructor(client: MailoverClient, options: LoadOptions) {
    this.#running = this.#run(client, options);
  }

  /** Ends when all that was pushed is known to lie in the queue, or not. */
  async stop(): Promise<void> {
    this.#enough.abort();
    await this.#running;
  }

  async #run(client: MailoverClient, { name, ratePerSecond, more }: LoadOptions): Promise<void> {
    const pushes: Promise<void>[] = [];
    const startedAt = Date.now();
    while (!this.#enough.signal.aborted) {
      const subject = `${name} ${pushes.length}`;
      const pushed = client.send(mail({ ...more, subject }) as MessageInput).then(
        () => void this.subjects.push(subject),
        () => void (this.refusedCount += 1),
      );
      pushes.push(pushed);
      await sleep(Math.max(0, startedAt + (pushes.length * 1000) / ratePerSecond - Date.now()));
    }
    await Promise.all(pushes);
  }
}

/** Subjects of all that the servers accepted, once for each copy. */
export function acceptedSubjects(...servers: readonly LabServer[]): string[] {
  return servers.flatMap(({ accepted }) =>
    accepted.map(({ content }) => /^Subject: (.*?)\r?$/m.exec(content.toString("latin1"))?.[1] ?? ""),
  );
}

/** How many messages the server accepted from one instant to another, epoch milliseconds. */
export function acceptedBetween({ accepted }: LabServer, from: number, until: number): number {
  return accepted.filter(({ acceptedAt }) => acceptedAt >= from && acceptedAt < until).length;
}

/** By how many of so many messages a fair share, in percent, may be off: four standard deviations, and one message. */
export function toleranceOf(percent: number, messageCount: number): number {
  const share = percent / 100;
  return 1 + 4 * Math.sqrt(messageCount * share * (1 - share));
}
