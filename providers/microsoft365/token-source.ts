import type { Clock, Evidence, Notice, Random } from "../../src/core/index.ts";
import type { SharedToken } from "./shared-token.ts";
import type { Token, TokenReply, TokenRequest } from "./token-request.ts";

export type TokenResult =
  /** `fromCache`: it was not made for this call, so that it may have been revoked since. */
  | { readonly ok: true; readonly accessToken: string; readonly fromCache: boolean }
  | { readonly ok: false; readonly evidence: Evidence };

export type TokenSourceOptions = {
  readonly request: TokenRequest;
  /** Null where this process is on its own. */
  readonly shared: SharedToken | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly notice: Notice;
  /** Gap after the first failed refresh; it doubles up to the largest. */
  readonly retryMs?: number;
  readonly retryMaxMs?: number;
};

/** What a flight may come back with: one of the fleet's that fits, or a new one. */
type Fits = (token: Token) => boolean;
type Flight = { readonly token: Token; readonly fromFleet: boolean } | { readonly evidence: Evidence };

/** A token this close to its end is not handed out: AUTH has still to be done with it. */
const expiryMarginMs = 1000;
/** Shortest time to a refresh, so that a token that is born expired does not make a loop. */
const refreshMinMs = 1000;
/** Longest time a server's Retry-After is believed, and longest time to a refresh. */
const hourMs = 3_600_000;
/** A token of the fleet's that is older than this may have been revoked together with the one that was rejected. */
const youngMs = 60_000;

/**
 * The access token of one app. It is refreshed in the background at half its life, so that mail flows for as long as
 * the token lives when Entra ID is down. One request at a time, whoever asks; in a fleet, one for all its gateways.
 */
export class TokenSource {
  readonly #options: Required<TokenSourceOptions>;
  readonly #closing = new AbortController();
  #token: Token | null = null;
  #flight: Promise<Flight> | null = null;
  /** Callers that wait for the flight. */
  #waitingCount = 0;
  #failureCount = 0;
  #held: { readonly evidence: Evidence; readonly untilAt: number } | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TokenSourceOptions) {
    this.#options = { retryMs: 10_000, retryMaxMs: 300_000, ...options };
  }

  /** The token in hand while it lives, else another one. `signal` ends the caller's wait, not the request others share. */
  async get(signal: AbortSignal): Promise<TokenResult> {
    if (this.#isLive(this.#token)) return { ok: true, accessToken: this.#token.accessToken, fromCache: true };
    return this.#wait((token) => this.#isLive(token), signal);
  }

  /**
   * A token other than the one that was rejected: that in hand if somebody has renewed it meanwhile, else a new one.
   * Where none is to be had the rejected one stays, since a mail server may reject a good token in trouble of its own.
   */
  async renew(rejected: string, signal: AbortSignal): Promise<TokenResult> {
    if (this.#token?.accessToken !== rejected) return this.get(signal);
    this.#options.notice("token.rejected", {});
    return this.#wait(
      (token) => token.accessToken !== rejected && token.lifetimeMs - this.#remainingMs(token) < youngMs,
      signal,
    );
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#closing.abort();
  }

  #remainingMs({ expiresAt }: Token): number {
    return expiresAt - this.#options.clock();
  }

  #isLive(token: Token | null): token is Token {
    return token !== null && this.#remainingMs(token) > expiryMarginMs;
  }

  #wait(fits: Fits, signal: AbortSignal): Promise<TokenResult> {
    return new Promise((resolve, reject) => {
      const onAbort = () => resolve({ ok: false, evidence: abandoned });
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waitingCount += 1;
      this.#fly(fits)
        .then((flight) => resolve(resultOf(flight)), reject)
        .finally(() => {
          this.#waitingCount -= 1;
          signal.removeEventListener("abort", onAbort);
        });
    });
  }

  #fly(fits: Fits): Promise<Flight> {
    this.#flight ??= this.#obtain(fits).finally(() => {
      this.#flight = null;
    });
    return this.#flight;
  }

  /** First what the fleet has, then a request of our own, unless the server asked to be left alone. */
  async #obtain(fits: Fits): Promise<Flight> {
    const { shared, request, notice } = this.#options;
    const patient = () => this.#isLive(this.#token) && this.#waitingCount === 0;
    const { signal } = this.#closing;
    const found = (await shared?.find({ fits, patient, mayLead: this.#heldMs() <= 0, signal })) ?? null;
    if (found !== null) {
      this.#take(found);
      notice("token.shared", { lifetimeMs: found.lifetimeMs, expiresInMs: this.#remainingMs(found) });
      return { token: found, fromFleet: true };
    }
    const retryAfterMs = this.#heldMs();
    if (this.#held !== null && retryAfterMs > 0) return { evidence: { ...this.#held.evidence, retryAfterMs } };
    const reply = await request(signal);
    this.#settle(reply);
    return reply.ok ? { token: reply, fromFleet: false } : reply;
  }

  /** How long the server still asks to be left alone; not above 0: no longer. */
  #heldMs(): number {
    return this.#held === null ? 0 : this.#held.untilAt - this.#options.clock();
  }

  #take(token: Token): void {
    if (this.#closing.signal.aborted) return;
    this.#token = token;
    this.#failureCount = 0;
    const halfMs = token.lifetimeMs / 2;
    // Up to a tenth earlier, so that a fleet started at once does not ask at once for ever.
    this.#refreshIn(this.#remainingMs(token) - halfMs * (1 + 0.1 * this.#options.random()));
  }

  #settle(reply: TokenReply): void {
    const { clock, random, notice, shared } = this.#options;
    if (this.#closing.signal.aborted) return;
    if (reply.ok) {
      this.#take(reply);
      this.#held = null;
      notice("token.acquired", { lifetimeMs: reply.lifetimeMs });
      void shared?.publish(reply, reply.lasting);
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
      expiresInMs: this.#remainingMs(this.#token),
    });
  }

  #refreshIn(delayMs: number): void {
    clearTimeout(this.#timer);
    const clamped = Math.min(Math.max(delayMs, refreshMinMs), hourMs);
    this.#timer = setTimeout(() => {
      const current = this.#token;
      if (!this.#isLive(current)) return;
      // A timer may be a little ahead of the clock.
      if (this.#heldMs() > 0) this.#refreshIn(this.#heldMs());
      else void this.#fly((token) => this.#isFresher(token, current));
    }, clamped).unref();
  }

  /** Whether taking a token over puts the next refresh off. */
  #isFresher(token: Token, current: Token): boolean {
    return token.accessToken !== current.accessToken && this.#remainingMs(token) > token.lifetimeMs / 2;
  }
}

function resultOf(flight: Flight): TokenResult {
  if ("evidence" in flight) return { ok: false, evidence: flight.evidence };
  return { ok: true, accessToken: flight.token.accessToken, fromCache: flight.fromFleet };
}

const abandoned: Evidence = {
  stage: "token",
  text: "the attempt was abandoned while it waited for a token",
  errorCode: "ABORTED",
};
