/** Stand-ins for the providers as real servers on loopback, with faults on demand. README.md has the tables. */
export * from "./fault.ts";
export type { LabServer } from "./lab-server.ts";
export type { AcceptedMessage } from "./mailbag.ts";
export { startRelay } from "./relay.ts";
export type { RelayOptions, RelayServer } from "./relay.ts";
export type { TranscriptLine } from "./transcript.ts";
