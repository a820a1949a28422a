import { createHash } from "node:crypto";
import type { Clock, Failure } from "../core/index.ts";

/** A From address that a provider refused. The address is known by its digest, so that it can be shared. */
export type SenderRefusal = {
  /** See `senderDigest`. */
  readonly sender: string;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly untilAt: number;
};

/** What workers tell one another of refused From addresses. Never throws: one that was not told asks its provider itself. */
export type RefusalBoard = {
  readonly tell: (provider: string, refusal: SenderRefusal) => void;
  /** Calls back for each refusal that others told of; null: all that was known of this provider is to be forgotten. */
  readonly listen: (provider: string, hear: (refusal: SenderRefusal | null) => void) => void;
};

/** Addresses remembered at most; the oldest is forgotten first. */
const CAPACITY = 10_000;

/** From addresses that one provider refused, remembered for a while so that it is not asked again and again. */
export class SenderMemory {
  readonly #provider: string;
  readonly #rememberMs: number;
  readonly #clock: Clock;
  readonly #board: RefusalBoard | undefined;
  readonly #refusals = new Map<string, SenderRefusal>();

  /** `refusals` absent: nobody else is told, or heard. */
  constructor(
    provider: string,
    rememberMs: number,
    { clock, refusals }: { readonly clock: Clock; readonly refusals?: RefusalBoard },
  ) {
    this.#provider = provider;
    this.#rememberMs = rememberMs;
    this.#clock = clock;
    this.#board = refusals;
    refusals?.listen(provider, (refusal) => {
      if (refusal === null) this.#refusals.clear();
      else this.#keep(refusal);
    });
  }

  /** The provider refused it just now. */
  remember(from: string, { status, reason }: Pick<Failure, "status" | "reason">): void {
    const untilAt = this.#clock() + this.#rememberMs;
    const sender = senderDigest(from);
    this.#keep({ sender, reason, untilAt });
    // The reply may name the address; it is in the log of whoever got it.
    this.#board?.tell(this.#provider, { sender, reason: `${status}, as a gateway was told`, untilAt });
  }

  /** The refusal of this From that still counts, or null. */
  find(from: string): SenderRefusal | null {
    if (this.#refusals.size === 0) return null;
    const sender = senderDigest(from);
    const refusal = this.#refusals.get(sender);
    if (refusal === undefined) return null;
    if (refusal.untilAt > this.#clock()) return refusal;
    this.#refusals.delete(sender);
    return null;
  }

  #keep(refusal: SenderRefusal): void {
    // Those that were told last go last.
    this.#refusals.delete(refusal.sender);
    this.#refusals.set(refusal.sender, refusal);
    if (this.#refusals.size <= CAPACITY) return;
    const [oldest] = this.#refusals.keys();
    if (oldest !== undefined) this.#refusals.delete(oldest);
  }
}

/** A From address in any case of letters, as 22 characters that do not show it. */
export function senderDigest(from: string): string {
  return createHash("sha256").update(from.toLowerCase()).digest("base64url").slice(0, 22);
}
