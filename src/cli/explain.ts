import { text } from "node:stream/consumers";
import { providerDefinitions } from "../../providers/index.ts";
import { STAGES } from "../core/index.ts";
import type { Stage } from "../core/index.ts";
import { explain, formatExplanation } from "../operations/explain.ts";

export type ExplainOptions = { readonly provider?: string; readonly stage?: string; readonly json?: true };

/** `mailover explain`: cause, scope, what Mailover does, and the remedy. */
export async function explainReply(reply: string, options: ExplainOptions): Promise<void> {
  const input = reply === "-" ? await text(process.stdin) : reply;
  const explanation = explain(input, providerDefinitions, {
    kind: options.provider,
    stage: options.stage === undefined ? undefined : stageOf(options.stage),
  });
  process.stdout.write(`${options.json ? JSON.stringify(explanation, null, 2) : formatExplanation(explanation)}\n`);
}

function stageOf(name: string): Stage {
  const stage = STAGES.find((known) => known === name);
  if (stage === undefined) throw new Error(`--stage: "${name}" is no stage; the stages are ${STAGES.join(", ")}`);
  return stage;
}
