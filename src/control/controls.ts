import { NOTHING_CHANGED } from "./overlay.ts";
import type { Overlay } from "./overlay.ts";

/** What operators changed at run time, as a worker has it in memory. Reading is at once; nothing here ever throws. */
export interface Controls {
  /** What holds now. The same object until something changes. */
  readonly overlay: Overlay;
  /** Adds a listener, told of each new overlay; the returned function takes it away again. */
  onChange(listener: (overlay: Overlay) => void): () => void;
  /** Ends when what holds is known, or cannot be had now. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** For a gateway that nobody controls at run time. */
export const uncontrolled: Controls = {
  overlay: NOTHING_CHANGED,
  onChange: () => () => undefined,
  start: async () => undefined,
  stop: async () => undefined,
};
