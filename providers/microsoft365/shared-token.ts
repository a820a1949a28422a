import { createSecretKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { Clock, Notice, SharedCache } from "../../src/core/index.ts";
import { readCredential } from "./credentials.ts";
import type { CredentialSource } from "./credentials.ts";
import type { Token } from "./token-request.ts";
import { createTokenSeal } from "./token-seal.ts";
import type { TokenIdentity, TokenSeal } from "./token-seal.ts";

export type SharedTokenOptions = {
  readonly cache: SharedCache;
  readonly identity: TokenIdentity;
  readonly sources: readonly CredentialSource[];
  /** 32 bytes in base64, in place of what the credentials give; null: none. */
  readonly sharedTokenKey: string | null;
  /** For how long one who asks Entra ID is left to it. */
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly notice: Notice;
};

/** What a search is content with, and how long it waits for one who is asking Entra ID right now. */
export type Search = {
  fits(token: Token): boolean;
  /** Asked again and again: false once mail waits for it. Until then the wait is for as long as others lead in turn. */
  patient(): boolean;
  /** False: only looks, since Entra ID may not be asked now. */
  readonly mayLead: boolean;
  readonly signal: AbortSignal;
};

/** How often one who waits looks again, with mail behind it or without. */
const pollMs = { impatient: 250, patient: 1000 } as const;
/** How long mail waits for another gateway's request before this one asks by itself. */
const impatientMs = 3000;

/**
 * The token of an app as the gateways of a fleet share it: sealed, under a name that is made of the credential. One
 * gateway asks Entra ID and publishes; the others take it over. Nothing throws: without the store each is on its own.
 */
export class SharedToken {
  readonly #options: SharedTokenOptions;
  /** We are the one who asks, until then; the store would refuse its own leader. */
  #leadsUntilAt = 0;
  /** What did not open, so that it is told of once. */
  #unreadable: string | null = null;

  constructor(options: SharedTokenOptions) {
    this.#options = options;
  }

  /** A token of the fleet, or null: the caller is to ask Entra ID. */
  async find(search: Search): Promise<Token | null> {
    const { clock } = this.#options;
    const seals = await this.#seals();
    const [own] = seals;
    if (own === undefined) return null;
    const startedAt = clock();
    while (!search.signal.aborted) {
      const token = await this.#look(seals, search);
      if (token !== null) return token;
      if (!search.mayLead || (await this.#lead(own))) return null;
      const isPatient = search.patient();
      if (!isPatient && clock() - startedAt >= impatientMs) return null;
      await pause(isPatient ? pollMs.patient : pollMs.impatient, search.signal);
    }
    return null;
  }

  /** Shares a token. `lasting` is of the credential that it was got with: one that Entra ID took, and so no mere guess. */
  async publish(token: Token, lasting: KeyObject | null): Promise<void> {
    const { cache, identity, sharedTokenKey, clock } = this.#options;
    const secret = sharedTokenKey === null ? lasting : keyOf(sharedTokenKey);
    if (secret === null) return;
    const { id, seal } = createTokenSeal(secret, identity);
    const { accessToken, lifetimeMs } = token;
    await cache.set(nameOf(id), seal({ accessToken, lifetimeMs }), token.expiresAt - clock());
  }

  async #lead({ id }: TokenSeal): Promise<boolean> {
    const { cache, clock, leaseMs } = this.#options;
    if (clock() < this.#leadsUntilAt) return true;
    const askedAt = clock();
    const leads = await cache.lead(nameOf(id), leaseMs);
    if (leads) this.#leadsUntilAt = askedAt + leaseMs;
    return leads;
  }

  async #look(seals: readonly TokenSeal[], { fits }: Search): Promise<Token | null> {
    for (const seal of seals) {
      const found = await this.#options.cache.get(nameOf(seal.id));
      if (found === null) continue;
      const content = seal.open(found.value);
      if (content === null) this.#tellUnreadable(found.value);
      else {
        const { accessToken, lifetimeMs } = content;
        const expiresAt = this.#options.clock() + Math.min(found.ttlMs, lifetimeMs);
        const token = { accessToken, lifetimeMs, expiresAt };
        if (fits(token)) return token;
      }
    }
    return null;
  }

  #tellUnreadable(value: string): void {
    if (value === this.#unreadable) return;
    this.#unreadable = value;
    this.#options.notice("token.unreadable", {});
  }

  /** Those of the credentials that can be read, the first one's at the head; none where one has nothing that lasts. */
  async #seals(): Promise<readonly TokenSeal[]> {
    const { identity, sources, sharedTokenKey, clock } = this.#options;
    if (sharedTokenKey !== null) return [createTokenSeal(keyOf(sharedTokenKey), identity)];
    const readings = await Promise.all(sources.map((source) => readCredential(source, clock())));
    const secrets = readings.flatMap((reading) => (reading.ok ? [reading.lasting] : []));
    return secrets.every((secret) => secret !== null) ? secrets.map((secret) => createTokenSeal(secret, identity)) : [];
  }
}

function nameOf(id: string): string {
  return `microsoft365:${id}`;
}

function keyOf(base64: string): KeyObject {
  return createSecretKey(Buffer.from(base64, "base64"));
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms).unref();
    signal.addEventListener("abort", end, { once: true });
  });
}
