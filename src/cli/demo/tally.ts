import type { AcceptedMessage } from "../../lab/index.ts";

/** What the stand-ins accepted, set against what was pushed. Counted from their side only. */
export class Tally {
  readonly #pushedAt = new Map<string, number>();
  readonly #idOf = new Map<string, string>();
  readonly #accepted = new Map<string, { at: number; server: string }[]>();

  /** A job was pushed. */
  pushed(jobId: string, at: number): void {
    this.#pushedAt.set(jobId, at);
  }

  /** The gateway said which message a job is. */
  received(jobId: string, id: string): void {
    this.#idOf.set(jobId, id);
  }

  accepted(message: Pick<AcceptedMessage, "mailoverId" | "acceptedAt" | "server">): void {
    const id = message.mailoverId ?? "";
    this.#accepted.set(id, [...(this.#accepted.get(id) ?? []), { at: message.acceptedAt, server: message.server }]);
  }

  summary(): Summary {
    const byServer: Record<string, number> = {};
    let lost = 0;
    let duplicates = 0;
    let longestMs = 0;
    for (const [jobId, at] of this.#pushedAt) {
      const copies = this.#accepted.get(this.#idOf.get(jobId) ?? "") ?? [];
      const [first] = copies;
      if (first === undefined) {
        lost += 1;
        continue;
      }
      duplicates += copies.length - 1;
      byServer[first.server] = (byServer[first.server] ?? 0) + 1;
      longestMs = Math.max(longestMs, first.at - at);
    }
    return { sent: this.#pushedAt.size, byServer, lost, duplicates, longestMs };
  }
}

export type Summary = {
  readonly sent: number;
  /** First copies, by the stand-in that accepted them. */
  readonly byServer: Readonly<Record<string, number>>;
  /** Pushed and accepted nowhere, as far as is known by now. */
  readonly lost: number;
  /** Copies beyond one. */
  readonly duplicates: number;
  /** From pushed to accepted. */
  readonly longestMs: number;
};
