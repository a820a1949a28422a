import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CAUSES } from "../../../src/core/index.ts";
import type { Cause, Failure, UncertainPolicy } from "../../../src/core/index.ts";
import { decide } from "../../../src/delivery/decide.ts";
import type { Circumstances, Decision } from "../../../src/delivery/decide.ts";

function failureOf(cause: Cause, more: Partial<Failure> = {}): Failure {
  const scope = CAUSES[cause].scope;
  return { cause, scope, status: "4.0.0", reason: "as the server said", stage: "rcpt", rule: "a-rule", ...more };
}

const usual: Circumstances = { othersLeft: 1, onUncertain: "retry", canAsk: false, mayWait: false, pinned: false };

const cases: readonly [rule: string, failure: Failure, more: Partial<Circumstances>, want: Decision][] = [
  ["an outage goes to the next provider", failureOf("outage"), {}, "failover"],
  ["an outage of the last provider waits", failureOf("outage"), { othersLeft: 0 }, "defer"],
  ["a busy provider is left for the next", failureOf("busy"), {}, "failover"],
  ["a busy last provider is tried again later", failureOf("busy"), { othersLeft: 0 }, "defer"],
  ["a throttled provider is waited for within the policy", failureOf("throttled"), { mayWait: true }, "wait"],
  ["a throttled provider is passed by once waiting takes too long", failureOf("throttled"), {}, "failover"],
  ["a throttled last provider is waited for whatever the policy", failureOf("throttled"), { othersLeft: 0 }, "defer"],
  ["a used-up quota goes to the next provider", failureOf("quota"), { mayWait: true }, "failover"],
  ["our expired key goes to the next provider", failureOf("auth"), {}, "failover"],
  ["our expired key never bounces mail", failureOf("auth"), { othersLeft: 0 }, "defer"],
  ["a refused From goes to the next provider", failureOf("sender"), {}, "failover"],
  ["a From refused by all waits for the operator", failureOf("sender"), { othersLeft: 0 }, "defer"],
  ["a blocked account goes to the next provider", failureOf("reputation"), {}, "failover"],
  ["an unknown mailbox bounces at once", failureOf("recipient"), {}, "bounce"],
  ["a message too large goes where there is more room", failureOf("size"), {}, "failover"],
  ["a message too large for all bounces", failureOf("size"), { othersLeft: 0 }, "bounce"],
  ["refused content bounces", failureOf("content"), {}, "bounce"],
  ["content that may be refused here only goes elsewhere", failureOf("content", { elsewhere: true }), {}, "failover"],
  [
    "content refused by the last provider bounces",
    failureOf("content", { elsewhere: true }),
    { othersLeft: 0 },
    "bounce",
  ],
  ["an uncertain message is tried again at the same provider", failureOf("uncertain"), {}, "retry"],
  ["a provider that can tell is asked first", failureOf("uncertain"), { canAsk: true, onUncertain: "resend" }, "ask"],
  ["an uncertain message is held where the policy says so", failureOf("uncertain"), { onUncertain: "hold" }, "hold"],
  ["an uncertain password goes to the next provider", failureOf("uncertain"), { onUncertain: "resend" }, "failover"],
  [
    "an uncertain password of the last provider is sent again",
    failureOf("uncertain"),
    { onUncertain: "resend", othersLeft: 0 },
    "defer",
  ],
  ["what one provider may have is not given to another in an outage", failureOf("outage"), { pinned: true }, "retry"],
  [
    "what one provider may have is not given to another when it throttles",
    failureOf("throttled"),
    { pinned: true },
    "retry",
  ],
  ["what one provider may have is not given to another for its size", failureOf("size"), { pinned: true }, "bounce"],
];

for (const [rule, failure, more, want] of cases) {
  test(rule, () => expect(decide(failure, { ...usual, ...more })).toBe(want));
}

test("each cause has a case", () => {
  const covered = new Set(cases.map(([, failure]) => failure.cause));
  expect([...covered].toSorted()).toEqual(Object.keys(CAUSES).toSorted());
});

describe("whatever the circumstances", () => {
  const circumstances = fc.record({
    othersLeft: fc.nat(5),
    onUncertain: fc.constantFrom<UncertainPolicy>("resend", "retry", "hold"),
    canAsk: fc.boolean(),
    mayWait: fc.boolean(),
    pinned: fc.boolean(),
  });
  const anyFailure = fc
    .record({ cause: fc.constantFrom(...(Object.keys(CAUSES) as Cause[])), elsewhere: fc.boolean() })
    .map(({ cause, elsewhere }) => failureOf(cause, { elsewhere }));
  const property = (holds: (failure: Failure, given: Circumstances, decision: Decision) => boolean): void => {
    fc.assert(
      fc.property(anyFailure, circumstances, (failure, given) => holds(failure, given, decide(failure, given))),
    );
  };

  test("a recipient's failure never goes to another provider", () => {
    property((failure, _given, decision) => failure.cause !== "recipient" || decision === "bounce");
  });
  test("refused content never goes to another provider unless its rule says so", () => {
    property(
      (failure, _given, decision) => failure.cause !== "content" || failure.elsewhere === true || decision === "bounce",
    );
  });
  test("a provider's or a sender's trouble never bounces", () => {
    property((failure, _given, decision) => !["provider", "sender"].includes(failure.scope) || decision !== "bounce");
  });
  test("without another provider nothing goes over to one", () => {
    property((_failure, given, decision) => given.othersLeft > 0 || decision !== "failover");
  });
  test("what one provider may have accepted goes to no other, except by the policy `resend`", () => {
    property((failure, given, decision) => !given.pinned || failure.cause === "uncertain" || decision !== "failover");
    property(
      (failure, given, decision) =>
        failure.cause !== "uncertain" || given.onUncertain === "resend" || decision !== "failover",
    );
  });
});
