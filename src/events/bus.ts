import type { Emit, GatewayEvent } from "../core/index.ts";

export type Listener = (event: GatewayEvent) => void;

/** Hands each event to every listener, at once and in order. A listener that throws harms neither mail nor the others. */
export class EventBus {
  readonly #listeners = new Set<Listener>();
  readonly #onDefect: (error: unknown) => void;

  constructor(onDefect: (error: unknown) => void) {
    this.#onDefect = onDefect;
  }

  readonly emit: Emit = (event) => {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#onDefect(error);
      }
    }
  };

  /** Adds a listener; the returned function takes it away again. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
