import type { Outcome, Provider, SendOptions, Transmission } from "../../../src/core/index.ts";
import { Gate } from "../../../src/gate/gate.ts";
import { gateSettings } from "../delivery/round-of.ts";
import { failed, failureOf, relayed } from "../scripted-provider.ts";
import { current } from "./model-worker.ts";
import type { World } from "./model-world.ts";

/** What a provider makes of one attempt. `takes`: the recipients that get a copy; null: refused before the content. */
type Answer = {
  readonly name: string;
  readonly takes: readonly string[] | null;
  readonly outcome: Outcome;
};

const aborted = (): Outcome => failed("outage", { stage: "content", reason: "stopped" });

/** Answers other than "relayed", for these recipients. */
function badAnswers(recipients: readonly string[]): Answer[] {
  const [first = "", ...rest] = recipients;
  const refusing = (cause: "recipient" | "busy"): Outcome => ({
    ...relayed,
    refused: [{ recipient: first, failure: failureOf(cause) }],
  });
  const partial =
    rest.length === 0
      ? []
      : [
          { name: "refuses one", takes: rest, outcome: refusing("recipient") },
          { name: "defers one", takes: rest, outcome: refusing("busy") },
        ];
  return [
    { name: "busy", takes: null, outcome: failed("busy") },
    { name: "rejects the content", takes: [], outcome: failed("content", { stage: "reply" }) },
    { name: "accepts, answer lost", takes: recipients, outcome: failed("uncertain", { stage: "reply" }) },
    { name: "does not accept, answer lost", takes: [], outcome: failed("uncertain", { stage: "reply" }) },
    ...partial,
  ];
}

/** A provider that honours `commit`: it holds the content back until it may leave, and then it cannot be called back. */
class ModelProvider implements Provider {
  readonly kind = "model";
  readonly capabilities = { maxMessageBytes: 1_000_000, maxRecipients: 100, maxConnections: 1_000, raw: true };
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  declines(): null {
    return null;
  }

  async send({ recipients }: Transmission, { signal, onStage, commit }: SendOptions): Promise<Outcome> {
    const worker = current.getStore();
    if (worker === undefined || commit === undefined) throw new Error("nobody sends");
    const { world } = worker;
    const buried = (): void => {
      throw new Error("it is dead");
    };
    onStage("connect");
    const answer = this.#answer(world, recipients);
    if (answer.takes === null) return answer.outcome;
    onStage("content");
    if (!(await commit()) || signal.aborted) return aborted();
    const leave = async (): Promise<void> => {
      onStage("reply");
      await world.aboutToLeave(worker, recipients);
      this.#take(world, recipients, answer);
    };
    await worker.step(`sends to ${this.name}`, leave, buried);
    return answer.outcome;
  }

  async verify(): Promise<{ ok: true; stages: [] }> {
    return { ok: true, stages: [] };
  }

  async close(): Promise<void> {}

  #answer(world: World, recipients: readonly string[]): Answer {
    const good = { name: "relayed", takes: recipients, outcome: relayed };
    const answer = world.choices.choose<Answer>(world.badOutcomesLeft > 0 ? [good, ...badAnswers(recipients)] : [good]);
    if (answer !== good) world.badOutcomesLeft -= 1;
    world.note(`${this.name}: ${answer.name} ${recipients.join()}`);
    return answer;
  }

  #take(world: World, recipients: readonly string[], { takes, outcome }: Answer): void {
    for (const recipient of takes ?? []) world.copies.push({ recipient, provider: this.name });
    for (const { recipient, failure } of outcome.refused)
      if (failure.cause === "recipient") world.refused.add(recipient);
    if (outcome.kind === "rejected") for (const recipient of recipients) world.refused.add(recipient);
  }
}

const never = 1_000_000_000;
const gates = new Map<string, Gate>();

/** A gate that stays open, since breakers and pauses are another matter. All worlds share it. */
export function gateOf(name: string): Gate {
  const known = gates.get(name);
  if (known !== undefined) return known;
  const breaker = { ...gateSettings.breaker, minimumCalls: never, consecutiveFailures: never };
  const parts = { clock: Date.now, random: () => 0, emit: () => undefined };
  const gate = new Gate(new ModelProvider(name), { ...gateSettings, breaker }, parts);
  gates.set(name, gate);
  return gate;
}

export function closeGates(): void {
  for (const gate of gates.values()) gate.close();
  gates.clear();
}
