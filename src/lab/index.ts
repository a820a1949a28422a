/** Stand-ins for the providers as real servers on loopback, with faults on demand. README.md has the tables. */
export { createAuthority } from "./certificate.ts";
export type { CertificateAuthority, KeyPair } from "./certificate.ts";
export { LAB_ACCOUNT } from "./defaults.ts";
export { startEntra } from "./entra.ts";
export type { EntraOptions, EntraServer } from "./entra.ts";
export type { EntraApp, EntraRules } from "./entra-rules.ts";
export { startExchange } from "./exchange.ts";
export type { ExchangeOptions, ExchangeServer } from "./exchange.ts";
export type { ExchangeRules } from "./exchange-rules.ts";
export * from "./fault.ts";
export type { LabServer } from "./lab-server.ts";
export type { AcceptedMessage } from "./mailbag.ts";
export { startRelay } from "./relay.ts";
export type { RelayOptions, RelayServer } from "./relay.ts";
export type { TokenClaims } from "./token-store.ts";
export type { TranscriptLine } from "./transcript.ts";
