/** The form of what is written here. Another form gets another number. */
export const SEAL_VERSION = 1;

/** The whole tag of GCM: a shorter one would be easier to forge. */
export const TAG_BYTES = 16;

/** NIST SP 800-38D 8.2.2: 96 random bits, for at most 2^32 messages a key (8.3). */
export const IV_BYTES = 12;

/** What stands in place of the fields that were sealed. `iv`, `tag` and `data` are base64. */
export type SealedPart = {
  readonly v: typeof SEAL_VERSION;
  /** Id of the key that sealed it. */
  readonly key: string;
  readonly iv: string;
  readonly tag: string;
  readonly data: string;
};

export type ParsedSealedPart =
  | { readonly ok: true; readonly sealed: SealedPart }
  | { readonly ok: false; readonly problem: string; readonly retryable: boolean };

/** Ids that may be repeated to people: what an app wrote there may be anything. */
const KEY_ID = /^[\w.-]{1,64}$/;

/** Reads the `sealed` field of a job, whoever wrote it. */
export function parseSealedPart(value: unknown): ParsedSealedPart {
  if (typeof value !== "object" || value === null) return damaged("is not an object");
  const { v, key, iv, tag, data } = value as Readonly<Record<string, unknown>>;
  if (typeof v === "number" && v > SEAL_VERSION) {
    return {
      ok: false,
      problem: "the content is sealed in a form that only a later release can open",
      retryable: true,
    };
  }
  if (v !== SEAL_VERSION) return damaged(`has no v of ${SEAL_VERSION}`);
  if (typeof key !== "string" || !KEY_ID.test(key)) return damaged("names no key");
  if (!isBytes(iv, IV_BYTES)) return damaged(`(key ${key}) has no iv of ${IV_BYTES} bytes`);
  if (!isBytes(tag, TAG_BYTES)) return damaged(`(key ${key}) has no tag of ${TAG_BYTES} bytes`);
  if (typeof data !== "string") return damaged(`(key ${key}) has no data`);
  return { ok: true, sealed: { v, key, iv, tag, data } };
}

function isBytes(value: unknown, sizeBytes: number): value is string {
  return typeof value === "string" && Buffer.from(value, "base64").length === sizeBytes;
}

function damaged(rule: string): ParsedSealedPart {
  return { ok: false, problem: `the sealed content is damaged: it ${rule}`, retryable: false };
}
