import { randomBytes, randomUUID } from "node:crypto";
import type { Clock } from "../core/index.ts";

/** What an access token stands for. */
export type TokenClaims = {
  readonly clientId: string;
  readonly tenantId: string;
  /** The resource it is for, without `/.default`. */
  readonly audience: string;
  /** Application permissions. */
  readonly roles: readonly string[];
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
};

/** The tokens that are out. They look like those of Entra ID, and count only while they are known here. */
export class TokenStore {
  readonly #claims = new Map<string, TokenClaims>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  issue(claims: TokenClaims, issuer: string): string {
    const token = tokenText(claims, issuer, this.#clock());
    this.#claims.set(token, claims);
    return token;
  }

  /** Null where it is none of ours or has expired. */
  check(token: string): TokenClaims | null {
    const claims = this.#claims.get(token);
    return claims !== undefined && claims.expiresAt > this.#clock() ? claims : null;
  }

  revokeAll(): void {
    this.#claims.clear();
  }
}

/** A JWT in form and in length; in place of the signature it has random bytes. */
function tokenText(claims: TokenClaims, issuer: string, now: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const issuedAtS = Math.floor(now / 1_000);
  const payload = {
    aud: claims.audience,
    iss: issuer,
    iat: issuedAtS,
    nbf: issuedAtS,
    exp: Math.floor(claims.expiresAt / 1_000),
    aio: randomBytes(48).toString("base64url"),
    app_displayname: "Mailover lab",
    appid: claims.clientId,
    appidacr: "1",
    idtyp: "app",
    oid: randomUUID(),
    rh: randomBytes(200).toString("base64url"),
    roles: claims.roles,
    tid: claims.tenantId,
    uti: randomBytes(16).toString("base64url"),
    ver: "1.0",
  };
  const header = {
    typ: "JWT",
    alg: "RS256",
    kid: randomBytes(20).toString("base64url"),
    x5t: randomBytes(20).toString("base64url"),
  };
  return `${part(header)}.${part(payload)}.${randomBytes(256).toString("base64url")}`;
}
