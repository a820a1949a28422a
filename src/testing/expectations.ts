import assert from "node:assert/strict";
import { CAUSES, contentMayBeOut, STAGES } from "../core/index.ts";
import type { Failure, Outcome, Rule, Stage, Transmission, Verification } from "../core/index.ts";

const SCOPES = new Set<string>(["provider", "sender", "message", "recipient"]);
const ENHANCED_STATUS = /^[245]\.\d{1,3}\.\d{1,3}$/;

/** What must hold for every outcome, whatever became of the attempt. */
export function assertOutcome(outcome: Outcome, { recipients }: Transmission, rules: readonly Rule[]): void {
  const refused = outcome.refused.map(({ recipient }) => recipient);
  assert.equal(new Set(refused).size, refused.length, "a recipient is refused twice");
  for (const { recipient, failure } of outcome.refused) {
    assert.ok(recipients.includes(recipient), `${recipient} is refused and was not in the attempt`);
    assertFailure(failure, rules);
    assert.notEqual(failure.cause, "uncertain", "a recipient that was refused is not uncertain");
  }
  if (outcome.kind === "relayed") {
    assert.ok(outcome.reply !== "", "relayed, and the reply is empty");
    assert.ok(outcome.remoteId !== "", "relayed, and the remote id is empty; null is for none");
    assert.ok(refused.length < recipients.length, "relayed, and every recipient is refused");
    return;
  }
  assertFailure(outcome.failure, rules);
  const { cause, stage } = outcome.failure;
  assert.equal(outcome.kind, CAUSES[cause]?.kind, `the kind of an outcome follows from its cause, ${cause}`);
  if (outcome.kind === "uncertain") {
    assert.ok(contentMayBeOut(stage), `uncertain in stage ${stage}, where the content cannot be out`);
  }
}

/** What must hold for every failure: nobody has to guess what broke, where, and whom it concerns. */
function assertFailure(failure: Failure, rules: readonly Rule[]): void {
  const { cause, scope, status, stage, reason, rule } = failure;
  assert.ok(Object.hasOwn(CAUSES, cause), `unknown cause ${String(cause)}`);
  assert.ok(SCOPES.has(scope), `unknown scope ${String(scope)}`);
  assert.match(status, ENHANCED_STATUS, "the status is no enhanced status code (RFC 3463)");
  assert.ok(STAGES.includes(stage), `unknown stage ${String(stage)}`);
  assert.ok(typeof reason === "string" && reason.trim() !== "", "the reason is empty");
  assert.ok(rule === null || rules.some(({ id }) => id === rule), `no rule of the provider is called ${String(rule)}`);
  const { retryAfterMs = 0 } = failure;
  assert.ok(Number.isFinite(retryAfterMs) && retryAfterMs >= 0, `retryAfterMs is ${retryAfterMs}`);
}

export function assertVerification(verification: Verification, rules: readonly Rule[]): void {
  if (verification.ok) return;
  assertFailure(verification.failure, rules);
  assert.notEqual(verification.failure.cause, "uncertain", "a check carries no mail, so nothing about it is uncertain");
}

/** Stages never go back within an attempt that keeps to one connection. */
export function assertInOrder(stages: readonly Stage[]): void {
  assert.ok(stages.length > 0, "no stage was reported");
  const places = stages.map((stage) => STAGES.indexOf(stage));
  assert.ok(!places.includes(-1), `unknown stage in ${stages.join(" ")}`);
  const back = places.findIndex((place, index) => index > 0 && place < (places[index - 1] ?? 0));
  assert.equal(back, -1, `stages went back: ${stages.join(" ")}`);
}
