import { createHash } from "node:crypto";
import { fieldKind } from "./fields.ts";

/** What a job's data says of its content once that is gone. */
export type Removal = {
  /** ISO 8601 in UTC. */
  readonly bodyRemovedAt: string;
  /** SHA-256 of the JSON of the data as its app wrote it, in hexadecimal. */
  readonly digest: string;
};

/** Digests that are known already: a job's is wanted when its message is identified and again when it is stripped. */
const known = new WeakMap<object, string>();

/** The digest that the identity of a message is made of. `data` is as its app wrote it, unsealed, and never changed. */
export function digestOf(data: unknown): string {
  const isObject = typeof data === "object" && data !== null;
  const digest = (isObject ? known.get(data) : undefined) ?? sha256(JSON.stringify(data));
  if (isObject) known.set(data, digest);
  return digest;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/**
 * What is left of a job's data once nobody waits for it any more: no content, sealed or not. `stored` is the data as it
 * lies in Redis: addresses that were sealed there go with the seal, and those that were readable stay. What was stripped
 * before comes back as it is.
 */
export function strip(stored: object, { digest, removedAt }: { digest: string; removedAt: Date }): object {
  if (removalOf(stored) !== null) return stored;
  const kept = Object.entries(stored).filter(([name]) => fieldKind(name) !== "content");
  const removal: Removal = { bodyRemovedAt: removedAt.toISOString(), digest };
  return Object.fromEntries([...kept, ...Object.entries(removal)]);
}

/** When the content of a job's data was removed, or null where it was not. */
export function removalOf(data: unknown): Removal | null {
  if (typeof data !== "object" || data === null) return null;
  const { bodyRemovedAt, digest } = data as Readonly<Record<string, unknown>>;
  if (typeof bodyRemovedAt !== "string" || typeof digest !== "string") return null;
  return { bodyRemovedAt, digest };
}
