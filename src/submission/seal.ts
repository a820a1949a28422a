import { isAscii } from "node:buffer";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { fieldKind } from "./fields.ts";
import type { Keyring } from "./keyring.ts";
import { IV_BYTES, parseSealedPart, SEAL_VERSION, TAG_BYTES } from "./sealed-part.ts";
import type { SealedPart } from "./sealed-part.ts";

export type SealOptions = {
  /** Whether from, to, cc, bcc, replyTo and envelope are sealed as well; false when absent. */
  readonly addresses?: boolean;
};

export type Unsealed =
  | { readonly ok: true; readonly data: unknown }
  | {
      readonly ok: false;
      /** One sentence for people. It names the id of the key, never a key nor what was sealed. */
      readonly problem: string;
      /** Whether another keyring would open it: its key is not known here, or its form is a later release's. */
      readonly retryable: boolean;
    };

type Entry = readonly [name: string, value: unknown];

/** A field that was sealed, and its place among all fields, from 0: the order must come back with it. */
type SealedField = readonly [place: number, name: string, value: unknown];

const CIPHER = "aes-256-gcm";

/**
 * The data of a job with its content sealed by the primary key: what is not readable is replaced by `sealed`, the last
 * field. The readable fields are authenticated with it, so that neither they nor the content can be exchanged. `data`
 * is as JSON takes it. Without a primary key it comes back as it is.
 */
export function seal(data: object, { primary }: Keyring, { addresses = false }: SealOptions = {}): object {
  if (primary === null) return data;
  const entries = Object.entries(data).filter(([, value]) => isJson(value));
  const staysOpen = ([name]: Entry): boolean => {
    const kind = fieldKind(name);
    return kind === "readable" || (kind === "addresses" && !addresses);
  };
  const open = entries.filter(staysOpen);
  const fields = entries.flatMap((entry, place): SealedField[] => (staysOpen(entry) ? [] : [[place, ...entry]]));
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, primary.key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(boundData(primary.id, open));
  const text = Buffer.concat([cipher.update(JSON.stringify(fields), "utf8"), cipher.final()]);
  const sealed: SealedPart = {
    v: SEAL_VERSION,
    key: primary.id,
    iv: iv.toString("base64"),
    tag: cipher.getAuthTag().toString("base64"),
    data: text.toString("base64"),
  };
  return Object.fromEntries([...open, ["sealed", sealed]]);
}

/** Whether the content of a job's data is sealed, be it well or badly. */
export function isSealed(data: unknown): data is { readonly sealed: unknown } {
  return typeof data === "object" && data !== null && Object.hasOwn(data, "sealed");
}

/** The data of a job as its app wrote it: the same JSON, order and all. What is not sealed comes back as it is. */
export function unseal(data: unknown, { keys }: Keyring): Unsealed {
  if (!isSealed(data)) return { ok: true, data };
  const part = parseSealedPart(data.sealed);
  if (!part.ok) return part;
  const key = keys.get(part.sealed.key);
  if (key === undefined) {
    const problem = `the content is sealed with key ${part.sealed.key}, which encryption.keys does not hold`;
    return { ok: false, problem, retryable: true };
  }
  const open = Object.entries(data).filter(([name]) => name !== "sealed");
  const fields = openFields(part.sealed, key, open);
  if (fields === null) {
    const problem =
      `the content sealed with key ${part.sealed.key} does not open: it, or a field beside it, was changed or cut, ` +
      `or another key had this id`;
    return { ok: false, problem, retryable: false };
  }
  // Places ascend, so that each field finds those before it where they were.
  const entries: Entry[] = [...open];
  for (const [place, name, value] of fields) entries.splice(place, 0, [name, value]);
  return { ok: true, data: Object.fromEntries(entries) };
}

/** Null where the seal is broken, or where what it held is not what `seal` puts in. */
function openFields(sealed: SealedPart, key: KeyObject, open: readonly Entry[]): readonly SealedField[] | null {
  const decipher = createDecipheriv(CIPHER, key, Buffer.from(sealed.iv, "base64"), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(Buffer.from(sealed.tag, "base64"));
  decipher.setAAD(boundData(sealed.key, open));
  try {
    const text = Buffer.concat([decipher.update(Buffer.from(sealed.data, "base64")), decipher.final()]);
    // Decoding 10 MB of UTF-8 takes Node as long as all the rest; attachments in base64 need none.
    const fields: unknown = JSON.parse(text.toString(isAscii(text) ? "latin1" : "utf8"));
    return Array.isArray(fields) && fields.every(isSealedField) ? fields : null;
  } catch {
    return null;
  }
}

/** What the seal authenticates beside the content: its form, its key, and the fields that anyone can read. */
function boundData(keyId: string, open: readonly Entry[]): Buffer {
  return Buffer.from(JSON.stringify([SEAL_VERSION, keyId, Object.fromEntries(open)]));
}

function isSealedField(field: unknown): field is SealedField {
  return Array.isArray(field) && field.length === 3 && Number.isInteger(field[0]) && typeof field[1] === "string";
}

/** What JSON leaves out of an object has no place in the order. */
function isJson(value: unknown): boolean {
  return value !== undefined && typeof value !== "function" && typeof value !== "symbol";
}
