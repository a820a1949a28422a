import type { Stage } from "../../src/core/index.ts";
import type { SmtpConnection } from "./connection.ts";

export type PoolOptions = {
  /** Connections at once. */
  readonly maxConnections: number;
  /** How long an unused connection is kept, in milliseconds; 0 keeps none. */
  readonly idleMs: number;
  /** Messages after which a connection is closed. */
  readonly messagesPerConnection: number;
};

/** The right to one connection: one that is open already, or null: the holder opens one. Goes back by `release`. */
export type Slot = { readonly connection: SmtpConnection | null };

type Waiter = { readonly admit: () => void };

/**
 * Hands out the right to hold a connection, at most so many at once, in the order of asking, and keeps connections for
 * the next one to use. A connection that is being ended holds its slot until it is closed, since servers count it too.
 */
export class ConnectionPool {
  readonly #options: PoolOptions;
  readonly #waiters: Waiter[] = [];
  /** The one used last is used next, so that those in excess grow old. */
  readonly #idle: { readonly connection: SmtpConnection; readonly expiry: NodeJS.Timeout }[] = [];
  readonly #quitting = new Set<Promise<void>>();
  #heldCount = 0;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Waits for a slot, in stage `queue` where none is free. Null: the signal aborted first. */
  async acquire(signal: AbortSignal, onStage: (stage: Stage) => void): Promise<Slot | null> {
    if (signal.aborted) return null;
    if (this.#heldCount >= this.#options.maxConnections) {
      onStage("queue");
      if (!(await this.#turn(signal))) return null;
    } else {
      this.#heldCount += 1;
    }
    return { connection: this.#takeIdle() };
  }

  /** Gives a slot back, with the connection it ended up with, or null. A destroyed one is not kept. */
  release(connection: SmtpConnection | null): void {
    if (connection === null || connection.destroyed) return this.#giveBack();
    const wornOut = connection.messageCount >= this.#options.messagesPerConnection;
    if (this.#closed || this.#options.idleMs === 0 || wornOut) return this.#quit(connection);
    this.#keep(connection);
    this.#giveBack();
  }

  /** Ends the idle connections, and those that come back later. Waiters leave by their own signals. */
  async close(): Promise<void> {
    this.#closed = true;
    const idle = this.#idle.map(({ connection }) => connection);
    for (const connection of idle) this.#expire(connection);
    await Promise.all(this.#quitting);
  }

  #turn(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const leave = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        resolve(false);
      };
      const waiter: Waiter = {
        admit: () => {
          signal.removeEventListener("abort", leave);
          resolve(true);
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiters.push(waiter);
    });
  }

  #takeIdle(): SmtpConnection | null {
    const kept = this.#idle.pop();
    if (kept === undefined) return null;
    clearTimeout(kept.expiry);
    kept.connection.onIdleClose = () => {};
    return kept.connection;
  }

  #keep(connection: SmtpConnection): void {
    const expiry = setTimeout(() => this.#expire(connection), this.#options.idleMs);
    connection.onIdleClose = () => this.#forget(connection);
    this.#idle.push({ connection, expiry });
  }

  #expire(connection: SmtpConnection): void {
    this.#forget(connection);
    // There is a slot for it: idle and held connections together are never more than allowed.
    this.#heldCount += 1;
    this.#quit(connection);
  }

  #forget(connection: SmtpConnection): void {
    const index = this.#idle.findIndex((kept) => kept.connection === connection);
    if (index === -1) return;
    clearTimeout(this.#idle[index]?.expiry);
    this.#idle.splice(index, 1);
  }

  /** Ends a connection and gives back the slot it holds. */
  #quit(connection: SmtpConnection): void {
    connection.onIdleClose = () => {};
    const quitting = connection.quit().finally(() => {
      this.#quitting.delete(quitting);
      this.#giveBack();
    });
    this.#quitting.add(quitting);
  }

  #giveBack(): void {
    const next = this.#waiters.shift();
    if (next === undefined) this.#heldCount -= 1;
    else next.admit();
  }
}
