import type { Clock, Evidence, Notice, Random } from "../../src/core/index.ts";
import type { TokenReply, TokenRequest } from "./token-request.ts";

export type TokenResult =
  | { readonly ok: true; readonly accessToken: string; readonly fromCache: boolean }
  | { readonly ok: false; readonly evidence: Evidence };

export type TokenSourceOptions = {
  readonly request: TokenRequest;
  readonly clock: Clock;
  readonly random: Random;
  readonly notice: Notice;
  /** Gap after the first failed refresh; it doubles up to the largest. */
  readonly retryMs?: number;
  readonly retryMaxMs?: number;
};

/** A token this close to its end is not handed out: AUTH has still to be done with it. */
const expiryMarginMs = 1000;
/** Shortest time to a refresh, so that a token that is born expired does not make a loop. */
const refreshMinMs = 1000;
/** Longest time a server's Retry-After is believed, and longest time to a refresh. */
const hourMs = 3_600_000;

/**
 * The access token of one app. It is refreshed in the background at half its life, so that mail flows for as long as
 * the token lives when Entra ID is down. One request at a time, whoever asks.
 */
export class TokenSource {
  readonly #options: Required<TokenSourceOptions>;
  readonly #closing = new AbortController();
  #token: { readonly accessToken: string; readonly expiresAt: number } | null = null;
  #flight: Promise<TokenReply> | null = null;
  #failureCount = 0;
  #held: { readonly evidence: Evidence; readonly untilAt: number } | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TokenSourceOptions) {
    this.#options = { retryMs: 10_000, retryMaxMs: 300_000, ...options };
  }

  /** The cached token while it lives, else a new one. `signal` ends the caller's wait, not the request others share. */
  async get(signal: AbortSignal): Promise<TokenResult> {
    if (this.#isLive(this.#token)) return { ok: true, accessToken: this.#token.accessToken, fromCache: true };
    return this.#wait(signal);
  }

  /**
   * A token other than the one that was rejected: the cached one if somebody has renewed it meanwhile, else a new one.
   * Where none is to be had the rejected one stays, since a mail server may reject a good token in trouble of its own.
   */
  async renew(rejected: string, signal: AbortSignal): Promise<TokenResult> {
    if (this.#token?.accessToken !== rejected) return this.get(signal);
    this.#options.notice("token.rejected", {});
    return this.#wait(signal);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#closing.abort();
  }

  #isLive<T extends { readonly expiresAt: number }>(token: T | null): token is T {
    return token !== null && this.#options.clock() < token.expiresAt - expiryMarginMs;
  }

  #wait(signal: AbortSignal): Promise<TokenResult> {
    return new Promise((resolve, reject) => {
      const onAbort = () => resolve({ ok: false, evidence: abandoned });
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      this.#fly()
        .then((reply) => resolve(reply.ok ? { ...reply, fromCache: false } : reply), reject)
        .finally(() => signal.removeEventListener("abort", onAbort));
    });
  }

  async #fly(): Promise<TokenReply> {
    const retryAfterMs = this.#heldMs();
    if (this.#held !== null && retryAfterMs > 0)
      return { ok: false, evidence: { ...this.#held.evidence, retryAfterMs } };
    this.#flight ??= this.#options
      .request(this.#closing.signal)
      .then((reply) => {
        this.#settle(reply);
        return reply;
      })
      .finally(() => {
        this.#flight = null;
      });
    return this.#flight;
  }

  /** How long the server still asks to be left alone; not above 0: no longer. */
  #heldMs(): number {
    return this.#held === null ? 0 : this.#held.untilAt - this.#options.clock();
  }

  #settle(reply: TokenReply): void {
    const { clock, random, notice } = this.#options;
    if (this.#closing.signal.aborted) return;
    if (reply.ok) {
      this.#token = reply;
      this.#failureCount = 0;
      this.#held = null;
      const lifetimeMs = reply.expiresAt - clock();
      // Up to a tenth earlier, so that a fleet started at once does not ask at once for ever.
      this.#refreshIn((lifetimeMs / 2) * (1 - 0.1 * random()));
      notice("token.acquired", { lifetimeMs });
      return;
    }
    this.#failureCount += 1;
    const { evidence } = reply;
    const askedMs = Math.min(evidence.retryAfterMs ?? 0, hourMs);
    this.#held = askedMs > 0 ? { evidence, untilAt: clock() + askedMs } : null;
    if (!this.#isLive(this.#token)) return; // whoever needs a token next asks for it
    const { retryMs, retryMaxMs } = this.#options;
    const gapMs = Math.min(retryMs * 2 ** (this.#failureCount - 1), retryMaxMs) * (1 - 0.1 * random());
    const nextTryMs = Math.max(gapMs, askedMs);
    this.#refreshIn(nextTryMs);
    notice("token.refresh.failed", {
      errorCode: evidence.errorCode ?? "",
      aadsts: evidence.aadsts ?? 0,
      httpStatus: evidence.httpStatus ?? 0,
      nextTryMs,
      expiresInMs: this.#token.expiresAt - clock(),
    });
  }

  #refreshIn(delayMs: number): void {
    clearTimeout(this.#timer);
    const clamped = Math.min(Math.max(delayMs, refreshMinMs), hourMs);
    this.#timer = setTimeout(() => {
      if (!this.#isLive(this.#token)) return;
      // A timer may be a little ahead of the clock.
      if (this.#heldMs() > 0) this.#refreshIn(this.#heldMs());
      else void this.#fly();
    }, clamped).unref();
  }
}

const abandoned: Evidence = {
  stage: "token",
  text: "the attempt was abandoned while it waited for a token",
  errorCode: "ABORTED",
};
