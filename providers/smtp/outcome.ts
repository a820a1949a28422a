import { CAUSES, classify } from "../../src/core/index.ts";
import type { Evidence, Failure, Outcome, Refusal, Rule } from "../../src/core/index.ts";
import type { Transacted } from "./connection.ts";
import type { RefusedRecipient } from "./dialogue.ts";
import { remoteIdOf } from "./remote-id.ts";
import type { WireEnvelope } from "./wire-envelope.ts";

/** An outcome of the kind that the failure's cause has. */
export function failed(failure: Failure, refused: readonly Refusal[] = []): Outcome {
  return { kind: CAUSES[failure.cause].kind, failure, refused };
}

/** What a transaction came to, each refused recipient by its own reply. */
export function outcomeOf(rules: readonly Rule[], wire: WireEnvelope, transacted: Transacted): Outcome {
  const refused = [...refusalsOf(rules, wire), ...transacted.refused.flatMap((each) => refusalOf(rules, wire, each))];
  if (transacted.ok) {
    return { kind: "relayed", remoteId: remoteIdOf(transacted.reply), reply: transacted.reply, refused };
  }
  const { evidence } = transacted;
  if (evidence.stage === "rcpt" && transacted.refused.length === wire.recipients.length) return allRefused(refused);
  return failed(classify(rules, evidence), refused);
}

/** Recipients that could not even be written to this server. */
export function refusalsOf(rules: readonly Rule[], wire: WireEnvelope): readonly Refusal[] {
  return wire.unwritable.map(({ recipient, evidence }) => ({ recipient, failure: classify(rules, evidence) }));
}

/** Nobody is left to send to: deferred where waiting may help at least one recipient, else rejected. */
export function allRefused(refused: readonly Refusal[]): Outcome {
  const deferred = refused.find(({ failure }) => CAUSES[failure.cause].kind === "deferred");
  const first = deferred ?? refused[0];
  if (first === undefined) throw new Error("a transmission has no recipients");
  return failed(first.failure, refused);
}

function refusalOf(rules: readonly Rule[], wire: WireEnvelope, refused: RefusedRecipient): readonly Refusal[] {
  const recipient = wire.recipients[refused.index];
  if (recipient === undefined) return [];
  const { code, status, text } = refused.reply;
  const evidence: Evidence = { stage: "rcpt", text, replyCode: code, ...(status === null ? {} : { status }) };
  return [{ recipient, failure: classify(rules, evidence) }];
}
