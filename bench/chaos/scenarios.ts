import type { SmtpFault } from "../../src/lab/index.ts";
import {
  cutFor,
  fillRedis,
  freezeRedis,
  killGateways,
  killRedis,
  nothingMore,
  stepClock,
  suspendGateways,
} from "./harm.ts";
import { cutPower } from "./power-cut.ts";
import type { Scenario } from "./run.ts";

/** Lost answers to the content: of messages that were taken, and of others that were not. */
export const LOST_ANSWERS: readonly SmtpFault[] = [
  { kind: "drop", at: "dot", accepted: true, share: 0.1 },
  { kind: "drop", at: "dot", accepted: false, share: 0.1 },
];

export const SCENARIOS: readonly Scenario[] = [
  { name: "a gateway killed every second", fsync: "everysec", harm: killGateways },
  { name: "two gateways suspended for 35 s", fsync: "everysec", harm: suspendGateways },
  { name: "Redis killed twice, everysec", fsync: "everysec", redisMayForget: true, harm: killRedis },
  { name: "Redis killed twice, always", fsync: "always", harm: killRedis },
  { name: "the power of Redis cut twice, everysec", fsync: "everysec", redisMayForget: true, harm: cutPower },
  { name: "the power of Redis cut twice, always", fsync: "always", harm: cutPower },
  { name: "Redis unreachable for 30 s", fsync: "everysec", harm: cutFor(30_000) },
  { name: "Redis silent for 35 s", fsync: "everysec", harm: freezeRedis },
  { name: "Redis out of memory for 10 s", fsync: "everysec", harm: fillRedis },
  { name: "a fifth of all answers lost", fsync: "everysec", faults: LOST_ANSWERS, harm: nothingMore },
  { name: "a clock an hour back, then ahead", fsync: "everysec", harm: stepClock },
];
