import assert from "node:assert/strict";
import type { Stage } from "../../core/index.ts";
import { largeSample, sample } from "../samples.ts";
import type { ConformanceCase, ConformanceSubject, Trouble } from "../subject.ts";
import { assertBroken, Trial } from "../trial.ts";

type Check = (trial: Trial, stage: Stage) => Promise<void>;

/** What an attempt must come to, by what goes wrong; and what the case says of it. */
const CHECKS: Readonly<Record<Trouble, readonly [what: string, check: Check]>> = {
  refuse: ["a refusal is a failure of its stage, and no mail after it is touched by it", assertRefused],
  "repeat-secrets": ["a refusal that repeats the secrets does not carry them on", assertRefused],
  silence: ["silence ends by a time limit", assertBreaks],
  drop: ["a connection that is lost", assertBreaks],
  "take-then-silence": ["silence after the message was taken ends by a time limit, uncertain", assertBreaks],
  "take-then-drop": ["a connection that is lost after the message was taken is uncertain", assertBreaks],
};

/** Each stage, broken in each way that the stand-in knows. */
export function failureCases(subject: ConformanceSubject): readonly ConformanceCase[] {
  return troublesOf(subject).map(([stage, trouble]) => {
    const [what, check] = CHECKS[trouble];
    return {
      name: `${stage}: ${what}`,
      run: () =>
        Trial.run(subject, { impatient: trouble.endsWith("silence") }, async (trial) => {
          await trial.fail(stage, trouble);
          await check(trial, stage);
        }),
    };
  });
}

export function troublesOf({ troubles }: ConformanceSubject): readonly (readonly [Stage, Trouble])[] {
  return Object.entries(troubles).flatMap(([stage, ways]) => ways.map((trouble) => [stage as Stage, trouble] as const));
}

async function assertRefused(trial: Trial, stage: Stage): Promise<void> {
  const { from } = trial.subject;
  const outcome = await trial.send(await sample(from));
  assert.notEqual(outcome.kind, "relayed", `relayed, although it was refused in stage ${stage}`);
  assert.notEqual(outcome.kind, "uncertain", `uncertain, although it was refused in stage ${stage}`);
  if (outcome.kind === "relayed") return;
  assert.equal(outcome.failure.stage, stage, `the stage of ${JSON.stringify(outcome.failure)}`);
  await trial.mend();
  await trial.relay(await sample(from));
}

async function assertBreaks(trial: Trial, stage: Stage): Promise<void> {
  const { from } = trial.subject;
  const message = stage === "content" ? await largeSample(from) : await sample(from);
  assertBroken(await trial.send(message), stage);
  await trial.mend();
  await trial.relay(await sample(from));
}
