/** A message that a stand-in took responsibility for. */
export type AcceptedMessage = {
  /** Name of the stand-in. */
  readonly server: string;
  /** Milliseconds since 1970. */
  readonly acceptedAt: number;
  readonly mailFrom: string;
  readonly rcptTo: readonly string[];
  /** The Message-ID header with its angle brackets. */
  readonly messageId: string | null;
  /** The X-Mailover-Id header. */
  readonly mailoverId: string | null;
  /** MIME as it came, dots unstuffed. Empty where only JSON came. */
  readonly content: Buffer;
  /** The stand-in's own id of it, as told to the client. */
  readonly remoteId: string;
  /** Who was signed in. */
  readonly user: string | null;
  /** The body of the request, for an HTTP API. */
  readonly json?: unknown;
};

/** Messages kept for each server; older ones go, so that a long run does not fill the memory. */
const KEPT_COUNT = 100_000;

/** What one stand-in has accepted, and who wants to know. */
export class Mailbag {
  readonly #messages: AcceptedMessage[] = [];
  readonly #listeners = new Set<(message: AcceptedMessage) => void>();

  get messages(): readonly AcceptedMessage[] {
    return this.#messages;
  }

  add(message: AcceptedMessage): void {
    this.#messages.push(message);
    if (this.#messages.length > KEPT_COUNT) this.#messages.shift();
    for (const listener of this.#listeners) listener(message);
  }

  /** Returns what ends it. */
  listen(listener: (message: AcceptedMessage) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  clear(): void {
    this.#messages.length = 0;
  }
}
