import { createSecretKey } from "node:crypto";
import type { KeyObject } from "node:crypto";

/** Keys as they are configured: `primary` is the id of the one that seals; the values are 32 bytes in base64. */
export type KeyringSettings = {
  readonly primary?: string;
  readonly keys?: Readonly<Record<string, string>>;
};

/** Keys that open what was sealed, by id. The primary one seals; with null nothing is sealed any more. */
export type Keyring = {
  readonly primary: { readonly id: string; readonly key: KeyObject } | null;
  readonly keys: ReadonlyMap<string, KeyObject>;
};

/** AES-256. */
const KEY_BYTES = 32;

/** Makes a keyring. Throws a RangeError that names the id where a key is not 32 bytes, or where there is no primary key. */
export function createKeyring({ primary, keys = {} }: KeyringSettings): Keyring {
  const held = new Map(Object.entries(keys).map(([id, text]) => [id, keyOf(id, text)]));
  if (primary === undefined) return { primary: null, keys: held };
  const key = held.get(primary);
  if (key === undefined) throw new RangeError(`the keyring holds no key ${primary}, which is to be its primary one`);
  return { primary: { id: primary, key }, keys: held };
}

function keyOf(id: string, text: string): KeyObject {
  const bytes = Buffer.from(text, "base64");
  if (bytes.length !== KEY_BYTES) throw new RangeError(`key ${id} is not ${KEY_BYTES} bytes in base64`);
  return createSecretKey(bytes);
}
