/** What becomes of a message's content where it is kept: sealed while it waits, removed when it is done. */
export { hashAddress, hashAddressesIn } from "./address-hash.ts";
export { fieldKind } from "./fields.ts";
export type { FieldKind } from "./fields.ts";
export { createKeyring } from "./keyring.ts";
export type { Keyring, KeyringSettings } from "./keyring.ts";
export { isSealed, seal, unseal } from "./seal.ts";
export type { SealOptions, Unsealed } from "./seal.ts";
export { digestOf, removalOf, strip } from "./strip.ts";
export type { Removal } from "./strip.ts";
