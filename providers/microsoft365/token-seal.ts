import { createCipheriv, createDecipheriv, createHash, createSecretKey, hkdfSync, randomBytes } from "node:crypto";
import type { KeyObject } from "node:crypto";

/** Whose token it is, and what for. Two gateways that differ in one of these have nothing to share. */
export type TokenIdentity = {
  readonly authority: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly scope: string;
};

/** A token as it is shared. Its end is not in here: clocks differ, so the store tells how long it still has. */
export type SharedContent = { readonly accessToken: string; readonly lifetimeMs: number };

/** Where a token lies, and how it is sealed there: both made of a secret that only its owners have. */
export type TokenSeal = {
  /** Part of a key in the store. It tells nothing of the secret, nor whose it is. */
  readonly id: string;
  seal(content: SharedContent): string;
  /** Null for what this secret did not seal for this identity, or what was changed since. */
  open(sealed: string): SharedContent | null;
};

/** Stands before what is sealed, so that another form can come after it. */
const VERSION = "1.";
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM under a key that is derived from `secret` (HKDF, RFC 5869) for this identity, which is additional data as
 * well. The secret is a random one of many bits: a client secret made by Entra ID, a private key, 32 random bytes.
 */
export function createTokenSeal(secret: KeyObject, identity: TokenIdentity): TokenSeal {
  const { authority, tenantId, clientId, scope } = identity;
  const parts = [authority, tenantId.toLowerCase(), clientId.toLowerCase(), scope];
  const identityBytes = Buffer.from(JSON.stringify(parts));
  // Of fixed length: HKDF takes 1024 bytes of information at most.
  const salt = createHash("sha256").update(identityBytes).digest();
  const derive = (purpose: string, length: number): Buffer =>
    Buffer.from(hkdfSync("sha256", secret, salt, `mailover shared token ${purpose}`, length));
  const key = createSecretKey(derive("key", 32));
  return {
    id: derive("id", 16).toString("hex"),
    seal: (content) => {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(identityBytes);
      const sealed = Buffer.concat([iv, cipher.update(JSON.stringify(content), "utf8"), cipher.final()]);
      return VERSION + Buffer.concat([sealed, cipher.getAuthTag()]).toString("base64");
    },
    open: (sealed) => {
      if (!sealed.startsWith(VERSION)) return null;
      const bytes = Buffer.from(sealed.slice(VERSION.length), "base64");
      if (bytes.length < IV_BYTES + TAG_BYTES) return null;
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
          .setAAD(identityBytes)
          .setAuthTag(bytes.subarray(-TAG_BYTES));
        const opened = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
        return parse(opened.toString("utf8"));
      } catch {
        return null;
      }
    },
  };
}

function parse(text: string): SharedContent | null {
  const { accessToken, lifetimeMs } = JSON.parse(text) as Partial<Record<keyof SharedContent, unknown>>;
  if (typeof accessToken !== "string" || accessToken === "") return null;
  return typeof lifetimeMs === "number" && lifetimeMs > 0 ? { accessToken, lifetimeMs } : null;
}
