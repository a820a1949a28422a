import assert from "node:assert/strict";
import { contentMayBeOut } from "../../core/index.ts";
import type { Outcome, Stage } from "../../core/index.ts";
import { largeSample, sample } from "../samples.ts";
import type { ConformanceCase, ConformanceSubject, Trouble } from "../subject.ts";
import { assertBroken, assertLostBy, failureOf, Trial } from "../trial.ts";

type Check = (trial: Trial, stage: Stage) => Promise<void>;

/** What an attempt must come to, by what goes wrong; and what the case says of it. */
const CHECKS: Readonly<Record<Trouble, readonly [what: string, check: Check]>> = {
  refuse: ["a refusal is a failure of its stage, and no mail after it is touched by it", assertRefused],
  "repeat-secrets": ["a refusal that repeats the secrets does not carry them on", assertRefused],
  silence: ["silence ends by a time limit", assertSilent],
  drop: ["a connection that is lost", assertLost],
  "take-then-silence": ["silence after the message was taken ends by a time limit, uncertain", assertSilent],
  "take-then-drop": ["a connection that is lost after the message was taken is uncertain", assertLost],
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
  const failure = failureOf(outcome);
  assert.notEqual(outcome.kind, "uncertain", `uncertain, although it was refused in stage ${stage}`);
  assert.equal(failure.stage, stage, `the stage of ${JSON.stringify(failure)}`);
  await trial.mend();
  await trial.relay(await sample(from));
}

async function assertSilent(trial: Trial, stage: Stage): Promise<void> {
  assertBroken(await breakOff(trial, stage), stage);
}

async function assertLost(trial: Trial, stage: Stage): Promise<void> {
  const outcome = await breakOff(trial, stage);
  assertLostBy(failureOf(outcome), stage);
  assert.equal(outcome.kind === "uncertain", contentMayBeOut(stage), `${outcome.kind}, lost in stage ${stage}`);
}

/** An attempt that breaks off, and one after it that nothing is in the way of. */
async function breakOff(trial: Trial, stage: Stage): Promise<Outcome> {
  const { from } = trial.subject;
  const outcome = await trial.send(stage === "content" ? await largeSample(from) : await sample(from));
  await trial.mend();
  await trial.relay(await sample(from));
  return outcome;
}
