import type {
  Capabilities,
  Declination,
  Outcome,
  Provider,
  SendOptions,
  Stage,
  Transmission,
  Verification,
} from "../../src/core/index.ts";
import { CAUSES } from "../../src/core/index.ts";
import type { Cause, Failure } from "../../src/core/index.ts";

/** What a scripted provider does with one attempt. */
export type Step = Outcome | ((transmission: Transmission, options: SendOptions) => Promise<Outcome>);

export function failureOf(cause: Cause, more: Partial<Failure> = {}): Failure {
  const scope = CAUSES[cause].scope;
  return {
    cause,
    scope,
    status: "4.0.0",
    reason: `${cause}, as the server said`,
    stage: "mail",
    rule: "a-rule",
    ...more,
  };
}

export function failed(cause: Cause, more: Partial<Failure> = {}): Outcome {
  return { kind: CAUSES[cause].kind, failure: failureOf(cause, more), refused: [] };
}

export const relayed: Outcome = { kind: "relayed", remoteId: "remote-1", reply: "250 2.0.0 OK", refused: [] };

/** A provider that follows a script, for tests of what is above providers: each attempt takes the next step, the last repeats. */
export class ScriptedProvider implements Provider {
  readonly kind = "scripted";
  readonly sent: Transmission[] = [];
  readonly capabilities: Capabilities;
  readonly name: string;
  verification: Verification = { ok: true, stages: ["connect"] };
  declined: Declination | null = null;
  verifyCount = 0;
  readonly #steps: Step[];

  constructor(name: string, steps: Step[] = [relayed], capabilities: Partial<Capabilities> = {}) {
    this.name = name;
    this.#steps = steps;
    this.capabilities = {
      maxMessageBytes: 1_000_000,
      maxRecipients: 100,
      maxConnections: 10,
      raw: true,
      ...capabilities,
    };
  }

  declines(): Declination | null {
    return this.declined;
  }

  async send(transmission: Transmission, options: SendOptions): Promise<Outcome> {
    this.sent.push(transmission);
    const step = this.#steps.length > 1 ? this.#steps.shift() : this.#steps[0];
    if (step === undefined) throw new Error("the script is empty");
    if (typeof step === "function") return step(transmission, options);
    options.onStage("connect");
    return step;
  }

  async verify(_options: SendOptions): Promise<Verification> {
    this.verifyCount += 1;
    return this.verification;
  }

  async close(): Promise<void> {}
}

/** A step that stays in a stage until it is stopped. */
export function hangsAt(stage: Stage): Step {
  return (_transmission, { signal, onStage }) =>
    new Promise((resolve) => {
      onStage(stage);
      signal.addEventListener("abort", () =>
        resolve(failed(stage === "reply" ? "uncertain" : "outage", { stage, reason: "stopped" })),
      );
    });
}
