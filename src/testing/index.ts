/** What tests of apps and of providers need: the conformance suite, and the stand-ins it is run against here. */
export * from "../lab/index.ts";
export { conformanceCases } from "./conformance.ts";
export type { Bench, BenchOptions, ConformanceCase, ConformanceSubject, Received, Trouble } from "./subject.ts";
